// What packages of kind web may know of the platform: the part of the abort interfaces that they use, and that there may be a WebSocket.
// Browsers, Node, Bun and Deno all have the former; Node has the latter from version 22. Published declarations name AbortSignal, which every consumer's own library declares.

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare const AbortController: { new (): AbortController };

declare const WebSocket:
  | (new (
      url: string,
    ) => {
      binaryType: string;
      send(bytes: Uint8Array): void;
      close(): void;
      addEventListener(type: 'open' | 'message' | 'error' | 'close', listener: (event: object) => void): void;
    })
  | undefined;
