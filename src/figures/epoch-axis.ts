/** What a figure by epoch has along its x axis: whole epochs, at most about eight of them with a number. */
export function epochAxis(last: number) {
  const domain = last > 1 ? [1, last] : [0, 2];
  return {
    label: 'epoch',
    labelAnchor: 'center',
    labelArrow: 'none',
    domain,
    ticks: epochTicks(domain[0]!, domain[1]!),
    tickFormat: 'd',
  } as const;
}

/** 1, 2, 5, 10, … epochs apart. */
function epochTicks(first: number, last: number): number[] {
  const least = (last - first) / 8;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= least)!;
  const ticks = Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
  return ticks.filter((epoch) => epoch >= first);
}
