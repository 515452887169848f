/**
 * Check digits of numbers that are known by them: NPI and payment cards (Luhn), DEA registrations, vehicles (49 CFR 565.15),
 * bank accounts (ISO 7064, 97).
 */

/** Luhn's sum, over digits only. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** National provider identifier: ten digits, Luhn with the prefix 80840. */
export const isNpi = (value: string): boolean => /^[12]\d{9}$/.test(value) && luhn(`80840${value}`);

/** DEA registration: two letters (or a letter and 9) and seven digits, the last of which is a sum of the others. */
export function isDea(value: string): boolean {
  if (!/^[A-Z][A-Z9]\d{7}$/i.test(value)) return false;
  const at = (i: number): number => value.charCodeAt(i + 2) - 48;
  return (at(0) + at(2) + at(4) + 2 * (at(1) + at(3) + at(5))) % 10 === at(6);
}

const vinValues: Readonly<Record<string, number>> = Object.fromEntries([
  ...[..."0123456789"].map((digit) => [digit, Number(digit)]),
  ...[..."ABCDEFGH"].map((letter, i) => [letter, i + 1]),
  ...[..."JKLMN"].map((letter, i) => [letter, i + 1]),
  ["P", 7],
  ["R", 9],
  ...[..."STUVWXYZ"].map((letter, i) => [letter, i + 2]),
]) as Record<string, number>;
const vinWeights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/** Vehicle identification number of 17 characters, the ninth of which checks the others. */
export function isVin(value: string): boolean {
  const text = value.toUpperCase();
  if (!/^[A-HJ-NPR-Z0-9]{17}$/.test(text)) return false;
  const sum = vinWeights.reduce((total, weight, i) => total + weight * vinValues[text[i]!]!, 0) % 11;
  return text[8] === (sum === 10 ? "X" : String(sum));
}

/** International bank account number: letters as numbers, the first four characters last, 1 modulo 97. */
export function isIban(value: string): boolean {
  const text = value.replaceAll(" ", "").toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text)) return false;
  let rest = 0;
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const number = Number.parseInt(character, 36);
    rest = (rest * (number > 9 ? 100 : 10) + number) % 97;
  }
  return rest === 1;
}

/** A payment card: 13 to 19 digits, Luhn, as issuers begin them. */
export function isCard(value: string): boolean {
  const digits = value.replace(/[ -]/g, "");
  return /^(?:3[47]|[4-6])\d{11,17}$/.test(digits) && luhn(digits);
}
