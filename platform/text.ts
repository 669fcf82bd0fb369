/**
 * Whether a text can be stored and comes back as it was: PostgreSQL takes no NUL, and half of a
 * surrogate pair would turn into a question mark in UTF-8.
 */
export const isText = (text: string): boolean => !/[\0\p{Cs}]/u.test(text);

/** How many characters a text has, as people count, or nearly: what JavaScript counts twice is one. */
export const lengthOf = (text: string): number => [...text].length;

/** What stands for a text that was personal, where there has to be one. */
export const erased = '(erased)';
