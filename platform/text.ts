/**
 * Whether a text can be stored and comes back as it was: PostgreSQL takes no NUL, and half of a
 * surrogate pair would turn into a question mark in UTF-8.
 */
export const isText = (text: string): boolean => !/[\0\p{Cs}]/u.test(text);

/** How many characters a text has, as people count, or nearly: what JavaScript counts twice is one. */
export const lengthOf = (text: string): number => [...text].length;

/** Whether a text can be stored, and has so many characters at most; one at least, unless told. */
export const isTextOf = (text: string, most: number, least = 1): boolean =>
  isText(text) && lengthOf(text) <= most && lengthOf(text) >= least;

/** What stands for a text that was personal, where there has to be one. */
export const erased = '(erased)';
