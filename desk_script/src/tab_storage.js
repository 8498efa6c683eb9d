// The storage of this tab. A browser without one stores nothing.
export function read(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

// Store the text, or remove it if it is null.
export function write(name, text) {
  try {
    if (text === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
  } catch {
    // the person chooses the file again
  }
}
