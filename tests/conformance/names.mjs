/**
 * Names as the suite knows them, and as the gateway lists them: `<server>__<name>`. This is all that is changed on the way;
 * a message without such a name is handed on as the very object that came.
 */

const LISTS = { "tools/list": "tools", "prompts/list": "prompts" };

/** A request of the suite, with the name that the server side knows. */
export function named(prefix, message) {
  const { method, params } = message;
  if ((method === "tools/call" || method === "prompts/get") && typeof params?.name === "string") {
    return { ...message, params: { ...params, name: prefix + params.name } };
  }
  if (method === "completion/complete" && params?.ref?.type === "ref/prompt") {
    return { ...message, params: { ...params, ref: { ...params.ref, name: prefix + params.ref.name } } };
  }
  return message;
}

/** The answer to a request of that method, with the names that the suite knows. */
export function unnamed(prefix, method, message) {
  const list = LISTS[method];
  if (!Array.isArray(message.result?.[list])) return message;
  const bare = (entry) => (entry.name.startsWith(prefix) ? { ...entry, name: entry.name.slice(prefix.length) } : entry);
  return { ...message, result: { ...message.result, [list]: message.result[list].map(bare) } };
}
