/**
 * Sums that do not depend on the order of their terms, so that Postgres and memory agree. Each number counts as the shortest decimal that names it (as JSON writes it); these are
 * added exactly, which is what Postgres' numeric does.
 */

/** An exact sum of numbers. */
export class ExactSum {
  private digits = 0n;
  /** The sum is digits · 10^exponent. */
  private exponent = 0;

  /** Adds a finite number. */
  add(value: number): void {
    const [mantissa = '0', power = '0'] = String(value).split('e');
    const [whole = '0', fraction = ''] = mantissa.split('.');
    const exponent = Number(power) - fraction.length;
    this.align(exponent);
    this.digits += BigInt(whole + fraction) * 10n ** BigInt(exponent - this.exponent);
  }

  private align(exponent: number): void {
    if (exponent >= this.exponent) return;
    this.digits *= 10n ** BigInt(this.exponent - exponent);
    this.exponent = exponent;
  }

  /** The sum in decimal digits. */
  toString(): string {
    return `${this.digits}e${this.exponent}`;
  }
}

/** The double that is nearest to a sum in decimal digits; null when it is beyond the doubles. */
export function readSum(text: string): number | null {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
