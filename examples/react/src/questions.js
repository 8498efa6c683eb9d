// What the form asks, made from the JSON Schema of the service; and the service's faults, by field.

/**
 * The questions of this form. The schema has many more: name one here, and the form asks it. `without` leaves codes out:
 * the service's form for young people has a button to leave it fast, and this page has none.
 */
export const ASKED = {
  immediate_danger: {},
  reporter: { kind: { without: ["child", "friend"] }, name: {}, phone: {} },
  children: { given_names: {}, estimated_age: {} },
  concern: { narrative: {}, missing_episodes: { started: {}, described: {} } },
};

const inWords = (code) => (code[0].toUpperCase() + code.slice(1)).replaceAll("_", " ");

/** Return the schema of these questions alone: no `null`, since an unanswered question is left out; codes have labels. */
export function questionsOf(form, asked = ASKED) {
  const lists = Object.fromEntries(form.code_lists.map((list) => [list.name, list.codes]));
  const labelOf = (name, code) => lists[name]?.find((each) => each.code === code)?.label ?? inWords(code);

  const part = ({ $ref, anyOf, default: _, examples, enum: codes, ...schema }, chosen) => {
    if ($ref) return part({ ...form.json_schema.$defs[$ref.split("/").at(-1)], ...schema }, chosen);
    if (anyOf) return part({ ...anyOf.find((each) => each.type !== "null"), ...schema }, chosen);
    const offered = codes?.filter((code) => !chosen.without?.includes(code));
    if (codes) schema.oneOf = offered.map((code) => ({ const: code, title: labelOf(schema["x-code-list"], code) }));
    if (schema.items) schema.items = { ...part(schema.items, chosen), description: undefined };
    if (schema.properties) {
      const { properties } = schema;
      schema.properties = Object.fromEntries(Object.keys(chosen).map((name) => [name, part(properties[name], chosen[name])]));
    }
    return schema;
  };
  return { ...part(form.json_schema, asked), title: undefined, description: undefined };
}

const stepsOf = (pointer) =>
  decodeURIComponent(pointer.replace(/^#\/?/, ""))
    .split("/")
    .filter(Boolean)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

const isAsked = (asked, [step, ...rest]) =>
  step === undefined || (/^\d+$/.test(step) ? isAsked(asked, rest) : step in asked && isAsked(asked[step], rest));

/** Return the faults as the form shows them beside its fields, and in `elsewhere` those that belong to none. */
export function faultsByField(faults, asked = ASKED) {
  const beside = {};
  const elsewhere = [];
  for (const { pointer, detail } of faults) {
    const steps = stepsOf(pointer);
    if (steps.length === 0 || !isAsked(asked, steps)) {
      elsewhere.push(detail);
      continue;
    }
    const place = steps.reduce((at, step) => (at[step] ??= {}), beside);
    (place.__errors ??= []).push(detail);
  }
  return { beside, elsewhere };
}
