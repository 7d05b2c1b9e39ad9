/** Values in znodes: JSON that a schema has let pass. */
import type { SchemaIssue, StandardSchema } from '@quorate/client';
import { decodeUtf8 } from '@quorate/protocol';
import { RecipeError } from './recipe-error.js';

/**
 * The text of a value, to be stored.
 *
 * @param path of the znode, for the error.
 * @throws RecipeError INVALID_DATA where the schema does not let it pass; TypeError where it has no JSON.
 */
export async function encodeValue<T>(path: string, value: T, schema: StandardSchema<unknown, T> | undefined): Promise<string> {
  await validate(path, value, schema);
  const text = jsonOf(path, value);
  if (text === undefined) throw new TypeError(`the value of ${path} must have a form in JSON, which ${typeof value} has not`);
  return text;
}

function jsonOf(path: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`the value of ${path} must have a form in JSON: ${(cause as Error).message}`, { cause });
  }
}

/** The value of what is stored. @throws RecipeError INVALID_DATA where that is not JSON, or the schema does not let it pass. */
export async function decodeValue<T>(path: string, data: Uint8Array, schema: StandardSchema<unknown, T> | undefined): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(data));
  } catch (error) {
    throw new RecipeError('INVALID_DATA', `${path} must have JSON as its data: ${(error as Error).message}`, { cause: error });
  }
  return validate(path, value, schema);
}

async function validate<T>(path: string, value: unknown, schema: StandardSchema<unknown, T> | undefined): Promise<T> {
  if (schema === undefined) return value as T;
  if (typeof schema?.['~standard']?.validate !== 'function')
    throw new TypeError(`the schema of ${path} must be a Standard Schema, which has '~standard'.validate`);
  const result = await schema['~standard'].validate(value);
  if (typeof result !== 'object' || result === null)
    throw new TypeError(`the schema of ${path} must answer { value } or { issues }, not ${String(result)}`);
  if (result.issues === undefined) return result.value;
  throw new RecipeError('INVALID_DATA', `the value of ${path} is not what its schema asks for: ${result.issues.map(tell).join('; ')}`, {
    cause: result.issues,
  });
}

function tell({ message, path }: SchemaIssue): string {
  if (path === undefined || path.length === 0) return message;
  return `${path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')}: ${message}`;
}
