import type { DeliveryStatus } from '../../events/delivery.js';
import type { OrderStatus } from '../../events/order.js';
import { ok, type Refusal, type Result, refuse } from '../../platform/errors.js';
import { currency, parseCents, toDecimal } from '../../platform/money.js';
import { isTextOf } from '../../platform/text.js';

/** Which status may follow which. */
export const transitions: Record<OrderStatus, readonly OrderStatus[]> = {
  PENDING: ['PAID', 'INSUFFICIENT_FUNDS', 'CANCELLED'],
  PAID: ['COMPLETED', 'CANCELLED'],
  INSUFFICIENT_FUNDS: [],
  CANCELLED: [],
  COMPLETED: [],
};

/** Nothing follows it: the order can no longer change. */
export const isFinal = (status: OrderStatus): boolean => transitions[status].length === 0;

/** Those in which an order can still change. */
export const openStatuses = (Object.keys(transitions) as OrderStatus[]).filter((status) => !isFinal(status));

/** What an order's changes are decided from. */
export interface OrderState {
  status: OrderStatus;
  deliveryStatus: DeliveryStatus | null;
  deliverySequence: number;
  /** The account of the courier that brings it, or brought it. */
  courierUserId: string | null;
}

/** What other services tell an order, in any order across them. */
export type Fact =
  | { kind: 'payment'; status: 'SUCCESS' | 'INSUFFICIENT_FUNDS' }
  | { kind: 'delivery'; status: DeliveryStatus; sequence: number; courierUserId?: string | null | undefined }
  /** It was called off before it had a delivery. */
  | { kind: 'cancelled' };

/** The states that follow one after the other when an order learns a fact; none when it is old news. */
export function evolve(order: OrderState, fact: Fact): OrderState[] {
  if (isFinal(order.status)) return [];
  if (fact.kind === 'cancelled') return [{ ...order, status: 'CANCELLED' }];
  if (fact.kind === 'delivery') {
    if (fact.sequence <= order.deliverySequence) return [];
    const { status: deliveryStatus, sequence: deliverySequence, courierUserId = order.courierUserId } = fact;
    const moved = { ...order, deliveryStatus, deliverySequence, courierUserId };
    if (fact.status === 'CANCELLED' || fact.status === 'FAILED') return [{ ...moved, status: 'CANCELLED' }];
    return [completes(moved) ? { ...moved, status: 'COMPLETED' } : moved];
  }
  if (order.status !== 'PENDING') return [];
  if (fact.status === 'INSUFFICIENT_FUNDS') return [{ ...order, status: 'INSUFFICIENT_FUNDS' }];
  const paid: OrderState = { ...order, status: 'PAID' };
  // The delivery's news may have come first.
  return completes(paid) ? [paid, { ...paid, status: 'COMPLETED' }] : [paid];
}

const completes = ({ status, deliveryStatus }: OrderState): boolean =>
  status === 'PAID' && deliveryStatus === 'DELIVERED';

export interface OrderLine {
  productId: string;
  quantity: number;
  priceCents: number;
}

export interface NewOrder {
  lines: OrderLine[];
  deliveryAddress: string;
  totalCents: number;
}

export interface OrderRequest {
  items: readonly { productId: string; quantity: number; price: unknown }[];
  deliveryAddress: string;
}

const maxLines = 100;
const maxQuantity = 1000;
const maxAddress = 500;

/** Why an order that stands so cannot be called off. */
export const tooLateToCancel = (status: OrderStatus): Refusal =>
  refuse('INVALID_TRANSITION', `An order that is ${status} cannot become CANCELLED.`);

/** A product as it is to be. */
export interface ProductDetails {
  name: string;
  description: string | null;
  priceCents: number;
  available: boolean;
}

/** What staff says of a product; null and undefined are what is left out. */
export interface ProductRequest {
  name: string;
  description?: string | null | undefined;
  price: unknown;
  currency?: string | null | undefined;
  available?: boolean | null | undefined;
}

const maxProductName = 200;
const maxDescription = 2_000;

/** Checks what staff says of a product. */
export function readProduct(request: ProductRequest): Result<ProductDetails> {
  const name = request.name.trim();
  if (!isTextOf(name, maxProductName))
    return refuse('BAD_USER_INPUT', `A product's name has 1 to ${maxProductName} characters.`, 'name');
  const description = request.description?.trim() || null;
  if (description !== null && !isTextOf(description, maxDescription))
    return refuse('BAD_USER_INPUT', `A description has at most ${maxDescription} characters.`, 'description');
  if ((request.currency ?? currency) !== currency)
    return refuse('BAD_USER_INPUT', `Prices are in ${currency}.`, 'currency');
  const price = parseCents(request.price, 'price');
  if (!price.ok) return price;
  if (price.value === 0) return refuse('BAD_USER_INPUT', 'A price is more than nothing.', 'price');
  return ok({ name, description, priceCents: price.value, available: request.available ?? true });
}

/** What the catalogue says of a product. */
export interface CatalogueEntry {
  id: string;
  name: string;
  priceCents: number;
  available: boolean;
}

/** Checks everything about a request that needs no catalogue; `isId` tells whether a text is an id. */
export function readOrder(request: OrderRequest, isId: (text: string) => boolean): Result<NewOrder> {
  const { items } = request;
  if (items.length < 1 || items.length > maxLines) {
    return refuse('BAD_USER_INPUT', `An order has 1 to ${maxLines} items.`, 'items');
  }
  const lines: OrderLine[] = [];
  for (const [index, item] of items.entries()) {
    const line = readLine(item, `items.${index}`, isId);
    if (!line.ok) return line;
    lines.push(line.value);
  }
  const deliveryAddress = request.deliveryAddress.trim();
  if (!isTextOf(deliveryAddress, maxAddress)) {
    return refuse('BAD_USER_INPUT', `An address has 1 to ${maxAddress} characters.`, 'deliveryAddress');
  }
  return ok({
    lines,
    deliveryAddress,
    totalCents: lines.reduce((sum, line) => sum + line.priceCents * line.quantity, 0),
  });
}

function readLine(
  item: OrderRequest['items'][number],
  field: string,
  isId: (text: string) => boolean,
): Result<OrderLine> {
  if (!isId(item.productId))
    return refuse('BAD_USER_INPUT', 'This is not the id of a product.', `${field}.productId`);
  if (item.quantity < 1 || item.quantity > maxQuantity) {
    return refuse('BAD_USER_INPUT', `A quantity is 1 to ${maxQuantity}.`, `${field}.quantity`);
  }
  const price = parseCents(item.price, `${field}.price`);
  if (!price.ok) return price;
  return ok({ productId: item.productId.toLowerCase(), quantity: item.quantity, priceCents: price.value });
}

/** Holds the lines against the catalogue: what the client saw must still be true. */
export function checkCatalogue(order: NewOrder, catalogue: readonly CatalogueEntry[]): Refusal | undefined {
  const products = new Map(catalogue.map((product) => [product.id, product]));
  for (const [index, line] of order.lines.entries()) {
    const product = products.get(line.productId);
    if (!product) return refuse('NOT_FOUND', 'There is no such product.', `items.${index}.productId`);
    if (!product.available)
      return refuse('CONFLICT', `${product.name} can not be ordered now.`, `items.${index}.productId`);
    if (product.priceCents !== line.priceCents) {
      const message = `${product.name} costs ${toDecimal(product.priceCents)} now.`;
      return refuse('PRICE_CHANGED', message, `items.${index}.price`);
    }
  }
  return undefined;
}
