// A form for a concern, drawn from the service's own JSON Schema as it was at the build. What is typed stays in this page
// until it is sent.

import Form from "@rjsf/core";
import createPrecompiledValidator from "@rjsf/validator-ajv8/lib/createPrecompiledValidator.js";
import { useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import { explain, isKeyReused, numbersToCall, raiseConcern, readForm, Refused } from "./guidance.js";
import checks from "./made/checks.cjs";
import { schema, version } from "./made/questions.json";
import { faultsByField } from "./questions.js";

const validator = createPrecompiledValidator(checks, schema);
const NOTHING_TYPED = { children: [{}] };
const NO_PRESET_ANSWERS = { constAsDefaults: "never" }; // otherwise the first of several answers is chosen already
const LOOKS = {
  immediate_danger: { "ui:widget": "radio" },
  children: { "ui:options": { orderable: false }, items: { "ui:title": "A child" } },
  concern: {
    narrative: { "ui:widget": "textarea", "ui:options": { rows: 5 } },
    missing_episodes: { "ui:options": { orderable: false }, items: { "ui:title": "A time" } },
  },
  "ui:submitButtonOptions": { submitText: "Send" },
};
const WORDS = { required: "Please answer this question.", pattern: "Please look at this answer again." };
const inPlainWords = (errors) => errors.map((error) => ({ ...error, message: WORDS[error.name] ?? error.message }));

function Numbers({ answer }) {
  return (
    <ul>
      {numbersToCall(answer).map(({ name, number, text, option }) => (
        <li key={name + number}>
          {name}: <a href={`tel:${number}`}>{text}</a>
          {option && ` (option ${option})`}
        </li>
      ))}
    </ul>
  );
}

function Receipt({ receipt }) {
  const heading = useRef(null);
  useEffect(() => heading.current.focus(), []);
  return (
    <section>
      <h2 ref={heading} tabIndex={-1}>We have your concern</h2>
      <p>Your reference: <strong>{receipt.reference}</strong></p>
      <p>Your status token, shown only here: <span className="code">{receipt.status_token}</span></p>
      <p>Write both down before you leave this page: they are not shown again.</p>
      <ul>{receipt.next_steps.map((step) => <li key={step}>{step}</li>)}</ul>
      <h2>Who to call</h2>
      <Numbers answer={receipt} />
    </section>
  );
}

function App() {
  const [form, setForm] = useState(null);
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const [error, setError] = useState(null);
  const [receipt, setReceipt] = useState(null);
  const [isSending, setSending] = useState(false);
  const key = useRef(crypto.randomUUID()); // of one concern, until there is a receipt

  useEffect(() => void readForm().then(setForm, () => {}), []); // without an answer 999 and the form stay
  useEffect(() => {
    if (form && form.schema_version !== version) console.warn("The service asks other questions now: build the form again.");
  }, [form]);
  const problem = error instanceof Refused ? error.problem : null;
  const { beside, elsewhere } = useMemo(() => faultsByField(problem?.errors ?? []), [problem]);

  async function send({ formData }) {
    setSending(true);
    setError(null);
    try {
      setReceipt(await raiseConcern(formData, key.current));
    } catch (failure) {
      if (isKeyReused(failure)) key.current = crypto.randomUUID();
      setError(failure);
    }
    setSending(false);
  }

  if (receipt) return <Receipt receipt={receipt} />;
  return (
    <>
      <div role="alert" id="message">
        {error && <p>{explain(error)}</p>}
        {elsewhere.length > 0 && <ul>{elsewhere.map((detail) => <li key={detail}>{detail}</li>)}</ul>}
        {problem && <Numbers answer={problem} />}
      </div>
      {form && !problem && <Numbers answer={form} />}
      <p>When you leave this page, what you typed here is deleted.</p>
      <Form
        schema={schema}
        uiSchema={LOOKS}
        validator={validator}
        formData={typed}
        onChange={({ formData }) => setTyped(formData)}
        onSubmit={send}
        extraErrors={beside}
        experimental_defaultFormStateBehavior={NO_PRESET_ANSWERS}
        transformErrors={inPlainWords}
        showErrorList={false}
        focusOnFirstError
        noHtml5Validate
        disabled={isSending}
        autoComplete="off"
      />
    </>
  );
}

/** The form, drawn anew and empty when the page is left: going back must show neither what was typed nor the receipt. */
function Visit() {
  const [visit, setVisit] = useState(0);
  useEffect(() => {
    const leave = () => flushSync(() => setVisit((before) => before + 1));
    window.addEventListener("pagehide", leave);
    return () => window.removeEventListener("pagehide", leave);
  }, []);
  return <App key={visit} />;
}

createRoot(document.getElementById("app")).render(<Visit />);
