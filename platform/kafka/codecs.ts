import zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import snappy from 'kafkajs-snappy';
import { compressFrame, decompressFrame } from 'lz4-napi';

const { CompressionCodecs, CompressionTypes } = kafkajs;

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** What kafkajs wants of a codec. */
export interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

const lz4: Codec = {
  compress: ({ buffer }) => compressFrame(buffer),
  decompress: (buffer) => decompressFrame(buffer),
};

type Zstd = (data: Buffer, done: (error: Error | null, result: Buffer) => void) => void;
const { zstdCompress, zstdDecompress } = zlib as unknown as { zstdCompress?: Zstd; zstdDecompress?: Zstd };

const promised = (run: Zstd, data: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    run(data, (error, result) => (error ? reject(error) : resolve(result)));
  });

/** Whether this Node can do zstd: 22.15 and later. */
export const hasZstd = zstdCompress !== undefined && zstdDecompress !== undefined;

/** Teaches kafkajs, which brings gzip alone, the other codecs: to write with, and to read what others wrote. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4;
  if (zstdCompress === undefined || zstdDecompress === undefined) return;
  CompressionCodecs[CompressionTypes.ZSTD] = (): Codec => ({
    compress: ({ buffer }) => promised(zstdCompress, buffer),
    decompress: (buffer) => promised(zstdDecompress, buffer),
  });
}

/** kafkajs's number of a codec. */
export const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<Compression, unknown>;
