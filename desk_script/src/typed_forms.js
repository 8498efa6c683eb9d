// Reads the text that is typed into the forms about a concern, and puts it back into the forms.
// Times and days count as typed only beside typed text, because the page fills them in.
const FORMS = "main form[data-team]";
const TEXTS = "textarea, input[type=text]";
const TIMES = "input[type=time], input[type=date]";
const CHOICES = "input[type=radio], input[type=checkbox]";

export const formsOf = () => [...document.querySelectorAll(FORMS)];

// Return each form with typed text: its path, its idempotency key, and the name and value of each filled field.
export function readForms() {
  return formsOf()
    .filter((form) => [...form.querySelectorAll(TEXTS)].some((field) => field.value.trim() !== ""))
    .map((form) => ({ action: actionOf(form), key: form.elements.key?.value, fields: [...form.elements].flatMap(valueOf) }));
}

export const actionOf = (form) => form.getAttribute("action");

function valueOf(field) {
  const isFilledIn = field.matches(CHOICES) ? field.checked : field.matches(`${TEXTS}, ${TIMES}, select`) && field.value.trim() !== "";
  return isFilledIn ? [[field.name, field.value]] : [];
}

// Put the typed text back into its form. Return false if the page lacks the form. Text that was typed later stays, below.
// The former idempotency key is put back too, so that a form that was sent without a response is not carried out twice.
export function putBack({ action, key, fields }) {
  const form = formsOf().find((each) => actionOf(each) === action);
  if (form === undefined) return false;
  if (key !== undefined && readForms().every((each) => each.action !== action)) form.elements.key.value = key;
  for (const [name, value] of fields) putValue(form, name, value);
  return true;
}

function putValue(form, name, value) {
  const named = [...form.elements].filter((each) => each.name === name);
  const choice = named.find((each) => each.value === value && each.matches(CHOICES));
  const [field] = named;
  if (choice !== undefined) choice.checked ||= !named.some((each) => each.checked && !each.defaultChecked);
  else if (field?.matches(TIMES)) field.value = value;
  else if (field?.matches("select")) field.value ||= [...field.options].some((each) => each.value === value) ? value : "";
  else if (field?.matches(TEXTS)) putText(field, value);
}

function putText(field, words) {
  if (!field.value.includes(words.trim())) field.value = [words, field.value].filter((each) => each.trim() !== "").join("\n\n");
  for (let part = field.closest("details"); part !== null; part = part.parentElement.closest("details")) part.open = true;
}
