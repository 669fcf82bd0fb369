import type { DeliveryStatus } from '../../events/delivery.js';
import type { OrderStatus } from '../../events/order.js';

/** An order as all three services should know it. */
export interface ModelOrder {
  id: string;
  user: number;
  totalCents: number;
  status: OrderStatus;
  /** The order's copy of its delivery's status. */
  copy: DeliveryStatus | null;
  payment: 'none' | 'charged' | 'refused' | 'refunded';
  /** Payment was told that it will not be charged, or no longer. */
  isVoid: boolean;
  /** What delivery has heard, and the delivery that came of it. */
  hasAddress: boolean;
  isPaid: boolean | null;
  isClosed: boolean;
  delivery: { status: DeliveryStatus; courier: number | null; attempts: number } | null;
}

export interface ModelCourier {
  id: string;
  userId: string;
  isOffDuty: boolean;
}

/** What should be true: the rules, said as simply as they can be, by somebody who has not seen the code. */
export interface Model {
  users: { id: string; balanceCents: number; toppedUpCents: number }[];
  orders: ModelOrder[];
  couriers: ModelCourier[];
}

export const isOpen = (status: DeliveryStatus): boolean =>
  status === 'PENDING' || status === 'IN_TRANSIT' || status === 'OUT_FOR_DELIVERY';

/** Which delivery a courier has. */
export const broughtBy = ({ orders }: Model, courier: number): ModelOrder | undefined =>
  orders.find(({ delivery }) => delivery?.courier === courier && isOpen(delivery.status));

export const isFree = (model: Model, courier: number): boolean =>
  !model.couriers[courier]?.isOffDuty && !broughtBy(model, courier);

/** Where a delivery may go. */
export function mayBecome(from: DeliveryStatus, to: DeliveryStatus): boolean {
  if (!isOpen(from)) return false;
  if (to === 'FAILED') return true;
  if (to === 'CANCELLED') return from !== 'OUT_FOR_DELIVERY';
  if (to === 'PENDING') return from !== 'PENDING';
  if (to === 'IN_TRANSIT') return from === 'PENDING';
  return to === 'OUT_FOR_DELIVERY' ? from === 'IN_TRANSIT' : from === 'OUT_FOR_DELIVERY';
}

const isOver = (status: OrderStatus): boolean => status !== 'PENDING' && status !== 'PAID';

/** Payment hears of a new order, and charges it. */
export function charge({ users }: Model, order: ModelOrder): void {
  const user = users[order.user];
  if (!user || order.isVoid || order.payment !== 'none') return;
  const isCharged = user.balanceCents >= order.totalCents;
  order.payment = isCharged ? 'charged' : 'refused';
  if (isCharged) user.balanceCents -= order.totalCents;
}

/** Payment hears that an order was called off. */
export function refund({ users }: Model, order: ModelOrder): void {
  const user = users[order.user];
  order.isVoid = true;
  if (!user || order.payment !== 'charged') return;
  order.payment = 'refunded';
  user.balanceCents += order.totalCents;
}

/** Delivery hears something of an order, and may begin. */
export function begin(order: ModelOrder, news: { hasAddress?: boolean; isPaid?: boolean }): void {
  order.hasAddress ||= news.hasAddress ?? false;
  order.isPaid ??= news.isPaid ?? null;
  order.isClosed ||= news.isPaid === false;
  if (order.hasAddress && order.isPaid && !order.isClosed)
    order.delivery ??= { status: 'PENDING', courier: null, attempts: 0 };
}

/** The order hears of its payment. */
export function learnPayment(order: ModelOrder, isPaid: boolean): void {
  if (order.status !== 'PENDING') return;
  order.status = isPaid ? 'PAID' : 'INSUFFICIENT_FUNDS';
  if (isPaid && order.copy === 'DELIVERED') order.status = 'COMPLETED';
}

/** The order hears of its delivery; one that was called off before it began has none. */
export function learnDelivery(order: ModelOrder, status: DeliveryStatus, hasDelivery: boolean): void {
  if (isOver(order.status)) return;
  if (hasDelivery) order.copy = status;
  if (status === 'CANCELLED' || status === 'FAILED') order.status = 'CANCELLED';
  else if (status === 'DELIVERED' && order.status === 'PAID') order.status = 'COMPLETED';
}

/** What a delivery is after a move; whoever had it is free where it is at an end, or PENDING again. */
export function moved(order: ModelOrder, status: DeliveryStatus): void {
  if (!order.delivery) return;
  order.delivery.status = status;
  if (status === 'PENDING') order.delivery.courier = null;
}
