/**
 * The app behind Node's HTTP server: limits of time for clients that send or take slowly, and an end in order. What is
 * asked when the server stops is refused, what runs may end, and what does not end in time is ended.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { UsageError } from "../errors.ts";
import type { App, Limits } from "./context.ts";

export interface RunningServer {
  /** "http://127.0.0.1:8080". */
  readonly url: string;
  /** Takes no more requests, waits for those that run. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly limits: Limits;
  /** Ends requests that still run when their time to stop is over. */
  abort(): void;
}

/** @throws UsageError where the port is taken or the host is not this machine's. */
export async function startServer(app: App, { host, port, limits, abort }: ServerOptions): Promise<RunningServer> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      headersTimeout: limits.headersTime,
      requestTimeout: limits.requestTime,
      connectionsCheckingInterval: Math.min(1000, limits.headersTime),
      keepAliveTimeout: 5000,
      maxHeaderSize: 16 * 1024,
    },
  }) as Server;
  server.maxConnections = limits.connections;
  server.setTimeout(limits.writeTime, (socket: Socket) => dropSlow(socket, limits.writeTime));
  server.listen(port, host);
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--port ${port}: ${error.code === "EADDRINUSE" ? "it is taken" : error.message}`, {
      hint: "another --port, or 0 for any that is free; --host takes an address of this machine",
    });
  });
  const { address, port: given, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${given}`,
    async stop(): Promise<void> {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const end = setTimeout(() => {
        abort();
        setTimeout(() => server.closeAllConnections(), 1000).unref();
      }, limits.stopTime);
      await closed;
      clearTimeout(end);
    },
  };
}

/** A connection that has been still for so long: its client takes nothing, or we have nothing to say yet. */
function dropSlow(socket: Socket, time: number): void {
  if (socket.writableLength > 0) socket.destroy();
  else socket.setTimeout(time);
}
