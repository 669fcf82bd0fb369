import { type Row, withKeys } from './rows.js';

const numberOr = (value: unknown, other: number) => (typeof value === 'number' ? value : other);

/** What came in the representation; nothing where the row was not reached by one. */
const cameWith = ({ _reference }: Row): Record<string, unknown> =>
  (_reference ?? {}) as Record<string, unknown>;

const weighed = (factor: number) =>
  function (this: Row) {
    const { weight } = cameWith(this);
    return typeof weight === 'number' ? weight * factor : null;
  };

/**
 * Fields that `@requires` others. They are made of the representation alone and show all of it, so that one which
 * differs is seen in the answer.
 */
export const requiredFields: Readonly<Record<string, unknown>> = {
  postage: weighed(2),
  freight: weighed(1000),
  shipping(this: Row, { express }: { express?: boolean | null }) {
    const { weight } = cameWith(this);
    return typeof weight === 'number' ? weight * (express ? 3 : 1) : null;
  },
  karma(this: Row) {
    const { age } = cameWith(this);
    return typeof age === 'number' ? age * 10 : null;
  },
  region(this: Row) {
    return JSON.stringify(cameWith(this)['address'] ?? 'none');
  },
  volume(this: Row) {
    const { width, height, depth } = (cameWith(this)['dims'] ?? {}) as Record<string, unknown>;
    return numberOr(width, 1) * numberOr(height, 10) * numberOr(depth, 100);
  },
  boxes(this: Row) {
    const { dims } = cameWith(this);
    return dims ? JSON.stringify(dims).length : null;
  },
  demand(this: Row) {
    const { rating } = cameWith(this);
    return typeof rating === 'number' ? rating * 100 : null;
  },
  typesetting(this: Row) {
    const { chapters } = cameWith(this);
    return chapters ? JSON.stringify(chapters).length : null;
  },
  royalties(this: Row) {
    const { authors } = cameWith(this);
    if (!Array.isArray(authors)) return null;
    return authors.map((author, index) =>
      author === null
        ? null
        : withKeys(`${this._key}.royalties.${index}`, {
            amount: JSON.stringify(author).length,
            currency: 'EUR',
          }),
    );
  },
  rental(this: Row) {
    const { minutes } = cameWith(this);
    return withKeys(`${this._key}.rental`, { amount: numberOr(minutes, -1) / 10, currency: 'GBP' });
  },
};
