/**
 * Bytes that arrive in pieces, kept until they are wanted whole. Small pieces are merged as they come:
 * a Buffer of one byte takes a hundred times that, and the sender chooses the sizes.
 */

/** Pieces that are kept as they came. */
const piecesMax = 256;

export class ByteList {
  #merged: Buffer[] = [];
  #pieces: Buffer[] = [];
  #length = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#pieces.length < piecesMax) return;
    this.#merged.push(Buffer.concat(this.#pieces));
    this.#pieces = [];
  }

  /** All of it; the list is empty then. */
  take(): Buffer {
    const pieces = this.#merged.length === 0 ? this.#pieces : [...this.#merged, ...this.#pieces];
    const [only] = pieces;
    const all =
      only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces, this.#length);
    this.#merged = [];
    this.#pieces = [];
    this.#length = 0;
    return all;
  }
}
