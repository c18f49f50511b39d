/**
 * The `awslambda` global: streamifyResponse and HttpResponseStream. The result is collected and sent
 * as one RESPONSE for now; StreamedResponse is the seam where chunks will go out as they come.
 * CommonJS, because it is loaded at the moment a function first touches the global.
 */
'use strict';

const { Writable } = require('node:stream');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const HTTP_INTEGRATION_TYPE = 'application/vnd.awslambda.http-integration-response';
const PRELUDE_SEPARATOR = Buffer.alloc(8);

class StreamedResponse extends Writable {
  #chunks = [];
  #contentType;

  setContentType(contentType) {
    this.#contentType = contentType;
  }

  get contentType() {
    return this.#contentType;
  }

  /** What was written so far, as one buffer. */
  collect() {
    return Buffer.concat(this.#chunks);
  }

  _write(chunk, _encoding, done) {
    this.#chunks.push(chunk);
    done();
  }
}

const HttpResponseStream = {
  /** Puts status code, headers and cookies in front of the stream, for function URLs. */
  from(stream, metadata) {
    stream.setContentType(HTTP_INTEGRATION_TYPE);
    stream.write(JSON.stringify(metadata));
    stream.write(PRELUDE_SEPARATOR);
    return stream;
  },
};

function streamifyResponse(handler, options) {
  handler[STREAMING] = 'response';
  if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = options.highWaterMark;
  return handler;
}

module.exports = { StreamedResponse, awslambda: { streamifyResponse, HttpResponseStream } };
