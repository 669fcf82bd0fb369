import type { DeliveryStatus } from '../../events/delivery.js';
import type { OrderStatus } from '../../events/order.js';
import type { Page } from '../../platform/graphql/connection.js';

export interface ProductRow {
  id: string;
  name: string;
  description: string | null;
  priceCents: number;
  available: boolean;
}

export interface OrderRow {
  id: string;
  userId: string;
  /** The account of the courier that brings it, or brought it. */
  courierUserId: string | null;
  status: OrderStatus;
  deliveryStatus: DeliveryStatus | null;
  totalCents: number;
  deliveryAddress: string;
  createdAt: Date;
  updatedAt: Date;
}

export interface OrderItemRow {
  orderId: string;
  productId: string;
  quantity: number;
  priceCents: number;
}

/** A change of an order, as its subscribers get it. */
export interface OrderChangeRow {
  orderId: string;
  sequence: number;
  status: OrderStatus;
  /** Its place among the changes of all orders of a user, for who watches these. */
  feed?: { userId: string; sequence: number };
}

/** A user as this service knows one: by id. */
export interface UserRef {
  id: string;
}

export type OrderPage = Page<OrderRow>;
export type ProductPage = Page<ProductRow>;
