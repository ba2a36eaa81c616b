import { TrustFault } from '@bulla/trust/fault/fault';
import type { Log } from './log.ts';
import type { Trace } from './observe.ts';

/** The parts of OpenTelemetry that are used. */
export interface TelemetryModules {
  readonly sdk: typeof import('@opentelemetry/sdk-node');
  readonly api: typeof import('@opentelemetry/api');
}

/** Where spans go, and what they say of this server. */
export interface TelemetryOptions {
  /** The collector's OTLP/HTTP address, without `/v1/traces`: `http://127.0.0.1:4318`. */
  readonly otlpEndpoint: string;
  readonly version: string;
  readonly log: Log;
  /** How the modules are had; by default from beside the server. */
  readonly load?: () => Promise<TelemetryModules>;
}

/** Spans of requests on their way to a collector. */
export interface Telemetry extends AsyncDisposable {
  readonly trace: Trace;
  /** Sends what is left. A collector that is gone is logged, never thrown. */
  close(): Promise<void>;
}

/**
 * Starts the OpenTelemetry SDK, which is loaded here and nowhere else. Throws
 * `config.telemetry-missing` when it is not installed: it is an optional peer.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { sdk, api } = await loadModules(options.load ?? loadInstalled);
  // The SDK knows its exporters by the environment's names only (OpenTelemetry, "OTLP Exporter").
  process.env['OTEL_TRACES_EXPORTER'] ??= 'otlp';
  process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] ??= 'http/protobuf';
  // With its own ten seconds, a collector that is gone would hold up the server's end.
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] ??= '2000';
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = options.otlpEndpoint;
  const running = sdk.startNodeSdk({
    resourceAttributes: { 'service.name': 'bulla', 'service.version': options.version },
    // Metrics are Prometheus', and logs are lines.
    metricReaders: [],
    logRecordProcessors: [],
    logLevel: 'none',
  });
  const close = async (): Promise<void> => {
    try {
      await running.shutdown();
    } catch (error) {
      options.log.warn('telemetry could not be sent', { error });
    }
  };
  return { trace: traceRequests(api), close, [Symbol.asyncDispose]: close };
}

async function loadInstalled(): Promise<TelemetryModules> {
  return { sdk: await import('@opentelemetry/sdk-node'), api: await import('@opentelemetry/api') };
}

async function loadModules(load: () => Promise<TelemetryModules>): Promise<TelemetryModules> {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND') {
      const message = 'telemetry.otlpEndpoint is set, and @opentelemetry/sdk-node is not installed';
      throw new TrustFault('config.telemetry-missing', message, undefined, { cause });
    }
    throw cause;
  }
}

/** One server span a request, below the span that its sender names (W3C Trace Context). */
function traceRequests({
  trace,
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
}: TelemetryModules['api']): Trace {
  const tracer = trace.getTracer('bulla');
  return (request, door, work) => {
    const parent = propagation.extract(context.active(), request, {
      get: (carrier, name) => carrier.header(name.toLowerCase()),
      keys: () => ['traceparent', 'tracestate'],
    });
    const attributes = {
      'http.request.method': request.method,
      'http.route': door,
      'url.scheme': request.secure ? 'https' : 'http',
      'bulla.request_id': request.id,
    };
    const options = { kind: SpanKind.SERVER, attributes };
    return tracer.startActiveSpan(`${request.method} ${door}`, options, parent, async (span) => {
      try {
        const reply = await work();
        span.setAttribute('http.response.status_code', reply.status);
        if (reply.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        return reply;
      } catch (error) {
        // The code, and not the message: it may quote what the sender sent.
        const code = error instanceof TrustFault ? error.code : 'internal.defect';
        span.setAttribute('error.type', code);
        throw error;
      } finally {
        span.end();
      }
    });
  };
}
