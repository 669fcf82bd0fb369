import { type Row, row, type World } from './rows.js';

interface ReviewData {
  body: string | null;
  stars: number;
  writer: string | null;
  product: string | null;
  subject: string | null;
  mood?: string;
  replies?: string[];
}

/** Reviews by writers who may be gone, of products that may be hidden, about people and venues. */
export function reviews(world: World): readonly Row[] {
  const review = (id: string, data: ReviewData, absent: string[] = []): Row =>
    row(
      'Review',
      id,
      {
        id,
        body: data.body,
        stars: data.stars,
        writerId: data.writer,
        author: () => data.writer && world.one(data.writer),
        writer: () => data.writer && world.one(data.writer),
        productId: data.product,
        product: () => data.product && world.one(data.product),
        subjectId: data.subject,
        subject: () => data.subject && world.one(data.subject),
        mood: data.mood ?? null,
        replies: () => world.all(data.replies ?? null),
        created: data.stars === 0 ? null : `202${data.stars}-05-06`,
      },
      absent,
    );
  return [
    review('review1', {
      body: 'Good',
      stars: 5,
      writer: 'u1',
      product: 'b1',
      subject: 'v1',
      mood: 'GLAD',
      replies: ['review2', 'review3', 'review2'],
    }),
    review('review2', { body: null, stars: 3, writer: 'u2', product: 'f1', subject: 'u1', mood: 'SAD' }),
    review('review3', { body: '', stars: 0, writer: 'u6', product: 'p1', subject: null, replies: [] }),
    review('review4', { body: 'Fine', stars: 4, writer: null, product: 'b1', subject: 'v3', mood: 'GLAD' }),
    review('review5', { body: 'Old', stars: 2, writer: 'u1', product: null, subject: 'u6' }),
    review('review6', {
      body: 'Long',
      stars: 1,
      writer: 'u5',
      product: 'b3',
      subject: 'u3',
      replies: ['review1', 'review6'],
    }),
  ];
}
