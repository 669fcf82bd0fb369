import { openStatuses } from './domain.js';

/** Parts that several statements share. A delivery that is active has its courier, if it has one, to itself. */
export const active = `status in (${openStatuses.map((status) => `'${status}'`).join(', ')})`;

const isBusy = (courier: string): string =>
  `exists (select from deliveries b where b.courier_id = ${courier}.id and b.${active})`;

/** The status of a courier, which follows from what it does. */
export const statusOf = (courier: string): string =>
  `case when ${isBusy(courier)} then 'BUSY' when ${courier}.off_duty then 'OFFLINE' else 'AVAILABLE' end`;

/** Whether a courier can be sent, and in what order they are. */
export const isFree = (courier: string): string => `not ${courier}.off_duty and not ${isBusy(courier)}`;
export const byTurn = (courier: string): string => `${courier}.free_since, ${courier}.id`;
