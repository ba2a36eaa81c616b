/** When a key or an authority is trusted; null where the document sets no bound. Both inclusive. */
export interface ValidityPeriod {
  readonly start: Date | null;
  readonly end: Date | null;
}

/** Whether `at` lies in the period (sigstore_common.proto TimeRange: both ends are inclusive). */
export function covers(period: ValidityPeriod, at: Date): boolean {
  if (period.start !== null && at < period.start) return false;
  return period.end === null || at <= period.end;
}

/** The period for people: `2026-01-01T00:00:00Z to open`. */
export function describePeriod(period: ValidityPeriod): string {
  const bound = (date: Date | null) => date?.toISOString() ?? 'open';
  return `${bound(period.start)} to ${bound(period.end)}`;
}
