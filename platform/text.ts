/**
 * Whether a text can be stored and comes back as it was: PostgreSQL takes no NUL, and half of a
 * surrogate pair would turn into a question mark in UTF-8.
 */
export const isText = (text: string): boolean => !/[\0\p{Cs}]/u.test(text);

/** What stands for a text that was personal, where there has to be one. */
export const erased = '(erased)';
