/** What the names and shapes of weights tell of the network they belong to. */
export interface Anatomy {
  readonly family: 'DenseNet' | 'residual network';
  /** Layers of each dense block, or blocks of each residual stage. */
  readonly blocks: readonly number[];
  readonly bottleneck: boolean;
  /** k of a DenseNet. */
  readonly growthRate?: number | undefined;
  /** [out, in, height, width] of the first convolution. */
  readonly stem?: readonly number[] | undefined;
  /** Biases of the fully connected layer. */
  readonly classes?: number | undefined;
}

export type NamedShapes = ReadonlyMap<string, readonly number[]>;

/** Reads the anatomy from canonical names and their shapes; undefined if they are of neither family. */
export function anatomyOf(shapes: NamedShapes): Anatomy | undefined {
  const dense = highest(shapes, /^features\.denseblock(\d{1,3})\.denselayer(\d{1,3})\./);
  if (dense.length > 0) {
    const layer = 'features.denseblock1.denselayer1';
    const inner = shapes.get(`${layer}.conv2.weight`);
    return {
      family: 'DenseNet',
      blocks: dense,
      bottleneck: inner !== undefined,
      growthRate: (inner ?? shapes.get(`${layer}.conv1.weight`))?.[0],
      stem: shapes.get('features.conv0.weight'),
      classes: shapes.get('classifier.bias')?.[0],
    };
  }
  const residual = highest(shapes, /^layer(\d{1,3})\.(\d{1,3})\./);
  if (residual.length === 0) return undefined;
  return {
    family: 'residual network',
    blocks: residual.map((last) => last + 1),
    bottleneck: shapes.has('layer1.0.conv3.weight'),
    stem: shapes.get('conv1.weight'),
    classes: shapes.get('fc.bias')?.[0],
  };
}

/** For each group 1, 2, … the highest member that a name speaks of. */
function highest(shapes: NamedShapes, pattern: RegExp): number[] {
  const members: number[] = [];
  for (const name of shapes.keys()) {
    const [, group, member] = pattern.exec(name) ?? [];
    if (group === undefined) continue;
    members[Number(group) - 1] = Math.max(members[Number(group) - 1] ?? 0, Number(member));
  }
  return Array.from(members, (last) => last ?? 0);
}

/** ImageNet networks that have a name, by what tells them apart. */
const KNOWN: readonly (readonly [name: string, blocks: string, bottleneck: boolean, growthRate?: number])[] =
  [
    ['DenseNet-121', '6,12,24,16', true, 32],
    ['DenseNet-161', '6,12,36,24', true, 48],
    ['DenseNet-169', '6,12,32,32', true, 32],
    ['DenseNet-201', '6,12,48,32', true, 32],
    ['DenseNet-264', '6,12,64,48', true, 32],
    ['ResNet-18', '2,2,2,2', false],
    ['ResNet-34', '3,4,6,3', false],
    ['ResNet-50', '3,4,6,3', true],
    ['ResNet-101', '3,4,23,3', true],
    ['ResNet-152', '3,8,36,3', true],
  ];

/** `DenseNet-169`, or `a DenseNet`. */
function called(anatomy: Anatomy): string {
  const known = KNOWN.find(
    ([, blocks, bottleneck, growthRate]) =>
      blocks === anatomy.blocks.join() &&
      bottleneck === anatomy.bottleneck &&
      growthRate === anatomy.growthRate,
  );
  return known?.[0] ?? `a ${anatomy.family}`;
}

/** The first thing in which weights (`found`) and a network (`asked`) differ, or undefined: `they are of …`. */
export function difference(found: Anatomy, asked: Anatomy): string | undefined {
  const of = `these are the weights of ${called(found)}`;
  if (found.family !== asked.family) return `${of}, not of a ${asked.family}`;
  const group = found.family === 'DenseNet' ? 'dense block' : 'stage';
  const member = found.family === 'DenseNet' ? 'layers' : 'blocks';
  if (found.blocks.length !== asked.blocks.length) {
    return `${of}: it has ${found.blocks.length} ${group}s, the config's network ${asked.blocks.length}`;
  }
  const index = found.blocks.findIndex((size, at) => size !== asked.blocks[at]);
  if (index >= 0) {
    const [theirs, ours] = [found.blocks[index], asked.blocks[index]];
    return `${of}: its ${group} ${index + 1} has ${theirs} ${member}, the config's ${ours}`;
  }
  const has = (what: boolean) => (what ? 'has bottlenecks' : 'has none');
  if (found.bottleneck !== asked.bottleneck) {
    return `${of}: it ${has(found.bottleneck)}, the config's network ${has(asked.bottleneck)}`;
  }
  if (found.growthRate !== asked.growthRate) {
    return `${of}: its growth rate is ${found.growthRate}, the config's ${asked.growthRate}`;
  }
  if (found.stem && asked.stem && found.stem.join() !== asked.stem.join()) {
    const shape = (sizes: readonly number[]) => `[${sizes.join(', ')}]`;
    return `${of}: its first convolution is ${shape(found.stem)}, the config's ${shape(asked.stem)}`;
  }
  if (found.classes !== undefined && found.classes !== asked.classes) {
    return `they tell ${found.classes} classes apart, the config's network ${asked.classes}`;
  }
  return undefined;
}
