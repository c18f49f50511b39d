/**
 * Says what is wrong with text that is not JSON in the words of the service's parser, which its
 * refusals quote: clients and their tests match on them. Runs only after JSON.parse has failed.
 *
 * Wordings, and how positions count, are taken from public reports of refused invokes
 * (aws-sdk-js #1876, ballerina c2c #15, hydrocron #64, aws-lambda-developer-guide #382).
 */

/** Bytes of the source that a message shows. */
const SOURCE_BYTES_MAX = 500;
/** Characters of an unknown token that a message shows. */
const TOKEN_LENGTH_MAX = 256;
/** Open objects and arrays that are followed; the service's parser takes no more. */
const DEPTH_MAX = 1_000;

const anyValue = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/** `position` is where the parser has read to: just behind what it complains of. */
class Complaint {
  readonly text: string;
  readonly position: number;

  constructor(text: string, position: number) {
    this.text = text;
    this.position = position;
  }
}

/** The service's complaint about a payload that JSON.parse refuses, with its source and position. */
export function describeJsonError(source: Uint8Array): string {
  const { text, position } = new Scanner(source).findComplaint();
  return `${text}\n at ${location(source, position)}`;
}

function location(source: Uint8Array, position: number): string {
  const shown = new TextDecoder().decode(source.subarray(0, SOURCE_BYTES_MAX));
  const left = source.length - SOURCE_BYTES_MAX;
  const truncated = left > 0 ? `[truncated ${left} bytes]` : '';
  let line = 1;
  let lineStart = 0;
  for (let next; (next = source.indexOf(0x0a, lineStart)) >= 0 && next < position;) {
    line += 1;
    lineStart = next + 1;
  }
  const column = position - lineStart + 1;
  return `[Source: (byte[])"${shown}"${truncated}; line: ${line}, column: ${column}]`;
}

/** A walk over the bytes that stops at the first fault; the values themselves do not matter. */
class Scanner {
  readonly #source: Uint8Array;
  #position = 0;
  #depth = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  findComplaint(): Complaint {
    try {
      do {
        this.#skipSpace();
        this.#value();
        this.#skipSpace();
      } while (!this.#atEnd);
    } catch (error) {
      if (error instanceof Complaint) return error;
      throw error;
    }
    return new Complaint('Trailing token found after value', this.#position);
  }

  get #atEnd(): boolean {
    return this.#position >= this.#source.length;
  }

  /** NaN at the end, which equals nothing. */
  get #byte(): number {
    return this.#source[this.#position] ?? NaN;
  }

  #skipSpace(): void {
    while (isSpace(this.#byte)) this.#position += 1;
  }

  #takes(character: string): boolean {
    if (this.#byte !== character.charCodeAt(0)) return false;
    this.#position += 1;
    return true;
  }

  #value(): void {
    if (this.#atEnd) throw new Complaint('No content to map due to end-of-input', this.#position);
    const start = this.#position;
    if (this.#takes('{')) this.#inside('Object', start, () => this.#member(), '}');
    else if (this.#takes('[')) this.#inside('Array', start, () => this.#value(), ']');
    else if (this.#takes('"')) this.#string('for a string value');
    else if (this.#byte === 0x2d || isDigit(this.#byte)) this.#number();
    else this.#token();
  }

  #inside(kind: 'Object' | 'Array', start: number, item: () => void, close: string): void {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new Complaint('Document nesting is too deep', start + 1);
    this.#skipSpaceInside(kind, start);
    if (!this.#takes(close)) {
      for (;;) {
        item();
        this.#skipSpaceInside(kind, start);
        if (this.#takes(close)) break;
        if (!this.#takes(','))
          throw this.#unexpected(`was expecting comma to separate ${kind} entries`);
        this.#skipSpaceInside(kind, start);
      }
    }
    this.#depth -= 1;
  }

  #skipSpaceInside(kind: string, start: number): void {
    this.#skipSpace();
    if (!this.#atEnd) return;
    const opened = location(this.#source, start);
    throw this.#ended(`expected close marker for ${kind} (start marker at ${opened})`);
  }

  #member(): void {
    if (!this.#takes('"')) throw this.#unexpected('was expecting double-quote to start field name');
    this.#string('in field name');
    this.#skipSpace();
    if (this.#atEnd) throw this.#ended('within/between Object entries');
    if (!this.#takes(':')) {
      throw this.#unexpected('was expecting a colon to separate field name and value');
    }
    this.#skipSpace();
    if (this.#atEnd) throw this.#ended('within/between Object entries');
    this.#value();
  }

  /** Behind the opening quote. */
  #string(where: 'for a string value' | 'in field name'): void {
    for (;;) {
      if (this.#atEnd) {
        throw where === 'in field name'
          ? new Complaint('Unexpected end-of-input in field name', this.#position)
          : this.#ended(`was expecting closing quote ${where}`);
      }
      const byte = this.#byte;
      this.#position += 1;
      if (byte === 0x22) return;
      if (byte < 0x20) {
        throw new Complaint(
          `Illegal unquoted character (${named(byte)}): has to be escaped using backslash to be ` +
            `included in ${where === 'in field name' ? 'name' : 'string value'}`,
          this.#position,
        );
      }
      if (byte === 0x5c) this.#escape();
    }
  }

  #escape(): void {
    if (this.#atEnd) throw this.#ended('in character escape sequence');
    const byte = this.#byte;
    this.#position += 1;
    if (byte === 0x75) {
      for (let digit = 0; digit < 4; digit += 1) {
        if (this.#atEnd) throw this.#ended('in character escape sequence');
        if (!/^[0-9a-fA-F]$/.test(String.fromCharCode(this.#byte))) {
          throw this.#unexpected('expected a hex-digit for character escape sequence');
        }
        this.#position += 1;
      }
    } else if (!'"\\/bfnrt'.includes(String.fromCharCode(byte))) {
      throw new Complaint(`Unrecognized character escape ${named(byte)}`, this.#position);
    }
  }

  #number(): void {
    if (this.#takes('-')) {
      this.#expectDigit('expected digit (0-9) to follow minus sign, for valid numeric value');
    }
    const start = this.#position;
    this.#digits();
    if (this.#source[start] === 0x30 && this.#position > start + 1) {
      this.#position = start + 2;
      throw new Complaint('Invalid numeric value: Leading zeroes not allowed', this.#position);
    }
    if (this.#takes('.')) {
      this.#expectDigit('Decimal point not followed by a digit');
      this.#digits();
    }
    if (this.#takes('e') || this.#takes('E')) {
      if (!this.#takes('+')) this.#takes('-');
      this.#expectDigit('Exponent indicator not followed by a digit');
      this.#digits();
    }
    const isRoot = this.#depth === 0;
    if (isRoot && !this.#atEnd && !isSpace(this.#byte)) {
      throw this.#unexpected('Expected space separating root-level values');
    }
  }

  #digits(): void {
    while (isDigit(this.#byte)) this.#position += 1;
  }

  #expectDigit(complaint: string): void {
    if (isDigit(this.#byte)) return;
    if (this.#atEnd) throw this.#ended('in a Number value');
    const byte = this.#byte;
    this.#position += 1;
    throw new Complaint(
      `Unexpected character (${named(byte)}) in numeric value: ${complaint}`,
      this.#position,
    );
  }

  /** `true`, `false`, `null`, or what is no value at all. */
  #token(): void {
    const start = this.#position;
    for (const word of ['true', 'false', 'null']) {
      const end = start + word.length;
      const found = String.fromCharCode(...this.#source.subarray(start, end));
      if (found === word && !isTokenPart(this.#source[end] ?? NaN)) {
        this.#position = end;
        return;
      }
    }
    if (this.#byte >= 0x80) throw this.#notUtf8OrUnexpected();
    if (!isTokenStart(this.#byte)) throw this.#unexpected(`expected a valid value ${anyValue}`);
    let length = 0;
    while (isTokenPart(this.#byte) && length < TOKEN_LENGTH_MAX) {
      this.#position += 1;
      length += 1;
    }
    const token = String.fromCharCode(...this.#source.subarray(start, this.#position));
    const isCut = length === TOKEN_LENGTH_MAX;
    // The parser has also read the character that ended the token.
    if (!isCut && !this.#atEnd) this.#position += 1;
    throw new Complaint(
      `Unrecognized token '${token}${isCut ? '...' : ''}': was expecting ${anyValue}`,
      this.#position,
    );
  }

  #notUtf8OrUnexpected(): Complaint {
    const byte = this.#byte;
    const width = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : 2;
    this.#position += 1;
    if (byte < 0xc0 || byte >= 0xf8) {
      return new Complaint(`Invalid UTF-8 start byte 0x${byte.toString(16)}`, this.#position);
    }
    const end = this.#position - 1 + width;
    const character = new TextDecoder().decode(this.#source.subarray(this.#position - 1, end));
    this.#position = Math.min(end, this.#source.length);
    const code = character.codePointAt(0) ?? 0;
    const shown = `'${character}' (code ${code} / 0x${code.toString(16)})`;
    return new Complaint(
      `Unexpected character (${shown}): expected a valid value ${anyValue}`,
      this.#position,
    );
  }

  #unexpected(expectation: string): Complaint {
    const byte = this.#byte;
    this.#position += 1;
    const text =
      byte < 0x20
        ? `Illegal character (${named(byte)}): only regular white space (\\r, \\n, \\t) is ` +
          'allowed between tokens'
        : `Unexpected character (${named(byte)}): ${expectation}`;
    return new Complaint(text, this.#position);
  }

  #ended(where: string): Complaint {
    const separator = /^(?:in|within)/.test(where) ? ' ' : ': ';
    return new Complaint(`Unexpected end-of-input${separator}${where}`, this.#position);
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function isTokenStart(byte: number): boolean {
  return /^[a-zA-Z_$]$/.test(String.fromCharCode(byte));
}

function isTokenPart(byte: number): boolean {
  return /^[a-zA-Z0-9_$]$/.test(String.fromCharCode(byte));
}

/** As the parser shows a character: printable ones quoted, others by their code alone. */
function named(byte: number): string {
  return byte < 0x20
    ? `(CTRL-CHAR, code ${byte})`
    : `'${String.fromCharCode(byte)}' (code ${byte})`;
}
