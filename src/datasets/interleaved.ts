/**
 * The first image of every class, then the second of every class, and so on, each in the order given: so the first N
 * images show as many classes as N images can.
 */
export function interleaved<Image extends { readonly label: number }>(images: readonly Image[]): Image[] {
  const ranks = new Map<number, number>();
  const places = images.map((image) => {
    const rank = ranks.get(image.label) ?? 0;
    ranks.set(image.label, rank + 1);
    return { image, rank };
  });
  return places.sort((a, b) => a.rank - b.rank || a.image.label - b.image.label).map(({ image }) => image);
}
