/** Who asks, as far as an order, its courier and a user are concerned. */
export const actors = [
  'nobody',
  'owner',
  'stranger',
  'courier',
  'otherCourier',
  'dispatcher',
  'admin',
] as const;
export type Actor = (typeof actors)[number];

const staff: readonly Actor[] = ['dispatcher', 'admin'];
const known = actors.filter((actor) => actor !== 'nobody');

/** Who may, by the name of a policy. What is of `parent` is for all who have the object that it is in. */
export const policies = {
  anyone: actors,
  known,
  /** Whose order it is. */
  owner: ['owner', ...staff],
  /** Whose order it is, and who brings it. */
  concerned: ['owner', 'courier', ...staff],
  /** The courier itself. */
  courier: ['courier', ...staff],
  /** Who may know where the courier is. */
  position: ['owner', 'courier', ...staff],
  couriers: ['courier', 'otherCourier'],
  couriersAndStaff: ['courier', 'otherCourier', ...staff],
  staff,
  admin: ['admin'],
  parent: actors,
} as const satisfies Record<string, readonly Actor[]>;
export type Policy = keyof typeof policies;

export const may = (policy: Policy, actor: Actor): boolean =>
  (policies[policy] as readonly Actor[]).includes(actor);
