/** Order number n, counted from 0, of user number n, and its delivery. */
const id = (kind: 4 | 7, part: number, n: number): string =>
  `${part.toString(16).padStart(8, '0')}-0000-${kind}000-8000-${n.toString(16).padStart(12, '0')}`;

export const orderId = (n: number): string => id(7, 1, n);
export const deliveryId = (n: number): string => id(7, 2, n);
export const courierId = (n: number): string => id(7, 3, n);
export const userId = (n: number): string => id(4, 4, n);
export const staffId = (n: number): string => id(4, 5, n);

/** What is selected of a delivery: by the subscription with each change, and by the query. All of it is @shared. */
const fields = 'id status address createdAt updatedAt courier { id name }';

export const subscription = `subscription Watch($orderId: ID!) { deliveryStatusChanged(orderId: $orderId) { delivery { ${fields} } } }`;
export const query = `query Delivery($id: ID!) { delivery(id: $id) { ${fields} } }`;

/** Where deliveries begin, and where they go to and back from as long as the benchmark wishes. */
export const statuses = ['PENDING', 'IN_TRANSIT'] as const;
