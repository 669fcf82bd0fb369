import { openStatuses } from './domain.js';
import type { Place } from './geography.js';

/** Parts that several statements share. A delivery that is active has its courier, if it has one, to itself. */
export const active = `status in (${openStatuses.map((status) => `'${status}'`).join(', ')})`;

const isBusy = (courier: string): string =>
  `exists (select from deliveries b where b.courier_id = ${courier}.id and b.${active})`;

/** The status of a courier, which follows from what it does. */
export const statusOf = (courier: string): string =>
  `case when ${isBusy(courier)} then 'BUSY' when ${courier}.off_duty then 'OFFLINE' else 'AVAILABLE' end`;

/** Whether a courier can be sent. */
export const isFree = (courier: string): string => `not ${courier}.off_duty and not ${isBusy(courier)}`;

/** After that nobody counts on a courier still being where it was. */
const isFresh = (courier: string): string => `${courier}.located_at > now() - interval '15 minutes'`;
const whileFresh = (courier: string, value: string): string =>
  `case when ${isFresh(courier)} then ${value} end`;
export const freshLatitude = (courier: string): string => whileFresh(courier, `${courier}.latitude`);
export const freshLongitude = (courier: string): string => whileFresh(courier, `${courier}.longitude`);

/** In what order couriers are sent: the nearest to the depot of those whose place is known, then who has been free longest. */
export function byTurn(courier: string, { latitude, longitude }: Place): string {
  // Near the depot the earth is flat, and for the order of distances their squares do.
  // Nobody is nearer than a tenth of a millimetre: the square of next to nothing is an error to PostgreSQL.
  const apart = (value: string) => `greatest(${value}, 1e-9)`;
  const north = apart(`abs(${courier}.latitude - (${latitude}))`);
  const east = `abs(${courier}.longitude - (${longitude}))`;
  const shrink = Math.cos((latitude * Math.PI) / 180);
  const square = `${north} ^ 2 + (${apart(`least(${east}, 360 - ${east})`)} * ${shrink}) ^ 2`;
  return `${whileFresh(courier, square)} nulls last, ${courier}.free_since, ${courier}.id`;
}
