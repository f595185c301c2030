import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { csv } from '../util/csv.js';
import { makeFolder, writeFileAtomic } from '../util/files.js';
import type { Figure } from './figure.js';
import { figureSvg } from './svg.js';

/** Pixels of the PNG for each of the SVG. */
export const SCALE = 2;

/**
 * Writes a figure: to a path that ends with .svg, .png or .csv what that says; into any other, a folder, all three.
 * Returns the paths.
 */
export async function writeFigure(figure: Figure, output: string, scale = SCALE): Promise<string[]> {
  const only = /\.(svg|png|csv)$/.exec(output)?.[0];
  await makeFolder(only ? dirname(output) : output, 'choose another place with --output');
  const paths: string[] = [];
  for (const [name, data] of figureFiles(figure, scale)) {
    if (only && !name.endsWith(only)) continue;
    const path = only ? output : join(output, name);
    await writeFileAtomic(path, data);
    paths.push(path);
  }
  return paths;
}

/** A figure as SVG, as PNG, and its points as CSV, by name. */
export function figureFiles(figure: Figure, scale = SCALE): [name: string, data: string | Uint8Array][] {
  const svg = figureSvg(figure, 'paper');
  return [
    [`${figure.name}.svg`, svg],
    [`${figure.name}.png`, figurePng(svg, scale)],
    [`${figure.name}.csv`, csv(figure.columns, figure.points)],
  ];
}

/** Draws an SVG as PNG, with the font that comes with the program: machines without fonts draw the same. */
export function figurePng(svg: string, scale = SCALE): Uint8Array {
  const font = createRequire(import.meta.url).resolve(
    '@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf',
  );
  const image = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles: [font], defaultFontFamily: 'Arimo' },
    fitTo: { mode: 'zoom', value: scale },
  });
  return image.render().asPng();
}
