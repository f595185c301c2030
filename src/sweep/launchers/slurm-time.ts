/**
 * Seconds of a time limit as Slurm writes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours,
 * days-hours:minutes or days-hours:minutes:seconds. Undefined for other texts, such as UNLIMITED.
 */
export function slurmSeconds(text: string): number | undefined {
  const [, days, first, second = '0', third] = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  if (days !== undefined)
    return ((Number(days) * 24 + Number(first)) * 60 + Number(second)) * 60 + Number(third ?? 0);
  if (third !== undefined) return (Number(first) * 60 + Number(second)) * 60 + Number(third);
  return Number(first) * 60 + Number(second);
}
