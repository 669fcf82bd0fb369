import type { DeliveryStatus } from '../../events/delivery.js';
import { ok, type Refusal, type Result, refuse } from '../../platform/errors.js';
import { isTextOf } from '../../platform/text.js';

/** Which status may follow which. */
export const transitions: Record<DeliveryStatus, readonly DeliveryStatus[]> = {
  PENDING: ['IN_TRANSIT', 'CANCELLED', 'FAILED'],
  IN_TRANSIT: ['OUT_FOR_DELIVERY', 'PENDING', 'CANCELLED', 'FAILED'],
  OUT_FOR_DELIVERY: ['DELIVERED', 'PENDING', 'FAILED'],
  DELIVERED: [],
  CANCELLED: [],
  FAILED: [],
};

/** Nothing follows it: the delivery can no longer change. */
export const isFinal = (status: DeliveryStatus): boolean => transitions[status].length === 0;

/** Those in which a delivery can still change. */
export const openStatuses = (Object.keys(transitions) as DeliveryStatus[]).filter(
  (status) => !isFinal(status),
);

/** Why a delivery does not go from one status to another; undefined where it may. */
export const refuseMove = (from: DeliveryStatus, to: DeliveryStatus): Refusal | undefined =>
  transitions[from].includes(to)
    ? undefined
    : refuse('INVALID_TRANSITION', `A delivery that is ${from} cannot become ${to}.`);

/** What decisions about a delivery are made from, and what they lead to. */
export interface DeliveryState {
  status: DeliveryStatus;
  courierId: string | null;
  /** How many couriers have let its deadline pass. */
  attempts: number;
}

/** What a delivery becomes that staff or its courier moves to a status; one that becomes PENDING is taken off its courier. */
export function decideMove(
  delivery: DeliveryState,
  to: DeliveryStatus,
  by: 'dispatcher' | 'courier',
): Result<DeliveryState> {
  const refusal = refuseMove(delivery.status, to);
  if (refusal) return refusal;
  if (by === 'courier' && to === 'CANCELLED') return refuse('FORBIDDEN', 'Staff alone calls deliveries off.');
  if (delivery.courierId === null && to === 'IN_TRANSIT')
    return refuse('CONFLICT', 'The delivery has no courier yet.', 'orderId');
  return ok({ ...delivery, status: to, courierId: to === 'PENDING' ? null : delivery.courierId });
}

/** What a delivery becomes that the dispatcher takes off its courier. */
export const decideUnassign = (delivery: DeliveryState): Result<DeliveryState> =>
  isFinal(delivery.status)
    ? (refuseMove(delivery.status, 'PENDING') ?? ok(delivery))
    : ok({ ...delivery, status: 'PENDING', courierId: null });

/** Why a delivery cannot be given to a courier by hand; undefined where it can. */
export function refuseAssign({ status, courierId }: DeliveryState): Refusal | undefined {
  if (status !== 'PENDING')
    return refuse('INVALID_TRANSITION', `A delivery that is ${status} cannot be given to a courier.`);
  return courierId === null
    ? undefined
    : refuse('CONFLICT', 'The delivery has a courier already: take it off that one first.', 'orderId');
}

/** What becomes of a delivery whose deadline has passed: it waits for another courier, and at last fails. */
export function decideOverdue(delivery: DeliveryState, maxAttempts: number): DeliveryState {
  const attempts = delivery.attempts + 1;
  return attempts < maxAttempts
    ? { status: 'PENDING', courierId: null, attempts }
    : { ...delivery, status: 'FAILED', attempts };
}

/** The step that a courier takes next when all goes well; undefined at the end. */
export const nextStep = (status: DeliveryStatus): DeliveryStatus | undefined => onward[status];

const onward: Partial<Record<DeliveryStatus, DeliveryStatus>> = {
  PENDING: 'IN_TRANSIT',
  IN_TRANSIT: 'OUT_FOR_DELIVERY',
  OUT_FOR_DELIVERY: 'DELIVERED',
};

export const transports = ['FOOT', 'BICYCLE', 'SCOOTER', 'CAR'] as const;
export type Transport = (typeof transports)[number];

export const courierStatuses = ['AVAILABLE', 'BUSY', 'OFFLINE'] as const;
export type CourierStatus = (typeof courierStatuses)[number];

/** Which status of a courier may follow which: a delivery makes one BUSY, and its end frees it. */
export const courierTransitions: Record<CourierStatus, readonly CourierStatus[]> = {
  AVAILABLE: ['BUSY', 'OFFLINE'],
  BUSY: ['AVAILABLE', 'OFFLINE'],
  OFFLINE: ['AVAILABLE'],
};

/** Whether a courier who is told so is off duty from now on; nobody is told to be BUSY. */
export const readDuty = (from: CourierStatus, to: CourierStatus): Result<boolean> =>
  to === 'BUSY' || (from !== to && !courierTransitions[from].includes(to))
    ? refuse('INVALID_TRANSITION', `A courier that is ${from} becomes ${to} by a delivery alone.`, 'status')
    : ok(to === 'OFFLINE');

export interface CourierProfile {
  name: string;
  phone: string;
  transport: Transport;
}

/** Checks what is said of a courier; what is left out is left alone. */
export function readProfile(
  given: {
    [K in keyof CourierProfile]?: unknown;
  },
): Result<Partial<CourierProfile>> {
  const profile: Partial<CourierProfile> = {};
  if (given.name !== undefined && given.name !== null) {
    const name = String(given.name).trim();
    if (!isTextOf(name, maxName))
      return refuse('BAD_USER_INPUT', `A name has 1 to ${maxName} characters.`, 'name');
    profile.name = name;
  }
  if (given.phone !== undefined && given.phone !== null) {
    const phone = String(given.phone).replaceAll(/[\s().-]/g, '');
    if (!/^\+[1-9]\d{6,14}$/.test(phone))
      return refuse('BAD_USER_INPUT', 'A phone number is such as +4930123456.', 'phone');
    profile.phone = phone;
  }
  if (given.transport !== undefined && given.transport !== null)
    profile.transport = given.transport as Transport;
  return ok(profile);
}

const maxName = 100;
/** What this service has heard of an order so far. */
export interface KnownOrder {
  orderId: string;
  userId: string;
  /** Null until the order's own event has come. */
  address: string | null;
  /** Null until the payment's event has come. */
  paid: boolean | null;
  closed: boolean;
}

/** Can a delivery begin: it is paid, its address is known, and it has not been called off. */
export const canBegin = (order: KnownOrder): order is KnownOrder & { address: string } =>
  order.paid === true && order.address !== null && !order.closed;
