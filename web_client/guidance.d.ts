// Types of the client. Each is a part of the schema of that name in the OpenAPI document; answers may have more members.

export interface Phone {
  number: string;
  display: string;
  option?: string | null;
}

export interface Contact {
  id: string;
  name: string;
  phones?: Phone[];
  url?: string | null;
}

export interface Item {
  id: string;
  text: string;
}

export interface EditionResponse {
  guide: string;
  edition: number;
  digest: string;
  digest_of: string[];
  title: string;
  cautions: Item[];
  indicators: Item[];
  contacts: Contact[];
}

export interface ConcernFormResponse {
  form_version: number;
  json_schema: Record<string, unknown>;
  signposts: Contact[];
}

/** What every concern must have. The form has the names of all other members. */
export interface Concern {
  guide?: string | null;
  immediate_danger: "yes" | "no" | "not_sure";
  reporter: {
    kind: "professional" | "member_of_public" | "family" | "child" | "friend" | "anonymous";
    name?: string | null;
    phone?: string | null;
  };
  children: { given_names?: string | null }[];
  concern: { narrative: string };
}

export interface Receipt {
  reference: string;
  status_token: string;
  receipt: string;
  received_at: string;
  acknowledge_by: string;
  guide: string;
  edition: number;
  next_steps: string[];
  signposts: Contact[];
  contacts: Contact[];
}

export interface ConcernStatus {
  reference: string;
  state: string;
  acknowledge_by: string;
  next_steps: string[];
  signposts: Contact[];
  contacts: Contact[];
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: { detail: string; pointer: string }[] | null;
  signposts?: Contact[] | null;
  contacts?: Contact[] | null;
}

export interface JsonWebKeys {
  keys: { kid: string; crv: string; x: string }[];
}

export declare class Refused extends Error {
  readonly problem: Problem;
  readonly isKeyReused: boolean;
}

export declare class NotGenuine extends Error {}

export declare class Guidance {
  constructor(service: string);
  guide(guide: string): Promise<EditionResponse>;
  form(): Promise<ConcernFormResponse>;
  raise(concern: Concern, key: string): Promise<Receipt>;
  follow(reference: string, token: string): Promise<ConcernStatus>;
  keys(): Promise<JsonWebKeys>;
}

export declare function checkReceipt(
  receipt: Receipt,
  keys: JsonWebKeys,
  submission?: Concern,
): Promise<Record<string, unknown>>;
export declare function checkDigest(edition: EditionResponse): Promise<void>;
export declare function numbersToCall(
  answer: { signposts?: Contact[] | null; contacts?: Contact[] | null },
): { name: string; number: string; text: string; option: string | null }[];
