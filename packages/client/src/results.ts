/** What the caller gets of each kind of reply. A codec and a server give the body that belongs to the request, so none is doubted here. */
import type {
  Acl,
  Create2Response,
  GetAclResponse,
  GetAllChildrenNumberResponse,
  GetChildren2Response,
  GetDataResponse,
  GetEphemeralsResponse,
  Id,
  MultiReadRequest,
  MultiReadResponse,
  MultiRequest,
  MultiResponse,
  Request,
  Response,
  Stat,
  StatResponse,
  WhoAmIResponse,
} from '@quorate/protocol';
import { multiResults, type OperationResult } from './multi.js';
import { multiReadResults, type ReadOperationResult } from './multi-read.js';
import { copyAcl } from './requests.js';

type Body = Response | undefined;

export function nothing(): void {}

export function created(body: Body): { path: string; stat: Stat } {
  const { path, stat } = body as Create2Response;
  return { path, stat };
}

export function stat(body: Body): Stat {
  return (body as StatResponse).stat;
}

export function data(body: Body): { data: Uint8Array; stat: Stat } {
  const { data, stat } = body as GetDataResponse;
  return { data: data ?? new Uint8Array(0), stat };
}

export function children(body: Body): { children: string[]; stat: Stat } {
  const { children, stat } = body as GetChildren2Response;
  return { children: children as string[], stat };
}

export function acl(body: Body): { acl: Acl[]; stat: Stat } {
  const { acl, stat } = body as GetAclResponse;
  return { acl: copyAcl(acl), stat };
}

export function multi(body: Body, request: Request): OperationResult[] {
  return multiResults(request as MultiRequest, body as MultiResponse);
}

export function multiRead(body: Body, request: Request): ReadOperationResult[] {
  return multiReadResults(request as MultiReadRequest, body as MultiReadResponse);
}

export function ephemerals(body: Body): string[] {
  return (body as GetEphemeralsResponse).ephemerals as string[];
}

export function totalNumber(body: Body): number {
  return (body as GetAllChildrenNumberResponse).totalNumber;
}

export function clientInfo(body: Body): Id[] {
  return (body as WhoAmIResponse).clientInfo.map(({ scheme, id }) => ({ scheme, id }));
}
