"use strict";

const at = (id) => document.getElementById(id);
const FACES = ["🔁", "❌", "👍"];
let state = {};
let stream = null;
let command = null;

/** Make an element: texts are texts, never markup. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/* Words: the little markdown that bots use. */

const RULES = [
  [/```(?:\w*\n)?([\s\S]+?)```/, (m) => el("pre", {}, m[1])],
  [/`([^`]+)`/, (m) => el("code", {}, m[1])],
  [/^(?:> .*(?:\n|$))+/m, (m) => el("blockquote", {}, ...words(m[0].replace(/^> /gm, "").trimEnd()))],
  [/<t:(\d+)(?::(\w))?>/, (m) => el("span", { class: "mention", title: new Date(m[1] * 1000).toString() }, moment(m))],
  [/<\/([^:>]+):\d+>/, (m) => el("span", { class: "mention" }, `/${m[1]}`)],
  [/<#(\d+)>/, (m) => el("span", { class: "mention" }, `#${placeOf(m[1])}`)],
  [/<@!?(\d+)>/, (m) => el("span", { class: "mention" }, `@${nameOf(m[1])}`)],
  [/\[([^\]]+)\]\((https?:[^)\s]+)\)/, (m) => el("a", { href: m[2], rel: "noreferrer", target: "_blank" }, m[1])],
  [/https:\/\/discord\.com\/channels\/(?:\d+|@me)\/(\d+)\/\d+/, (m) => el("span", { class: "mention" }, `# ${placeOf(m[1])} › 💬`)],
  [/https?:\/\/[^\s<>)]+/, (m) => el("a", { href: m[0], rel: "noreferrer", target: "_blank" }, m[0])],
  [/\*\*(.+?)\*\*/s, (m) => el("b", {}, ...words(m[1]))],
  [/\*([^*\n]+)\*/, (m) => el("i", {}, ...words(m[1]))],
  [/^-# (.+)$/m, (m) => el("small", {}, ...words(m[1]))],
  [/^#{1,3} (.+)$/m, (m) => el("b", {}, ...words(m[1]))],
  [/\\([*_`~|>#\\[\]()-])/, (m) => m[1]],
];

function words(text) {
  let first = null;
  for (const [pattern, make] of RULES) {
    const match = pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { match, make };
  }
  if (!first) return [text];
  const { match, make } = first;
  return [text.slice(0, match.index), make(match), ...words(text.slice(match.index + match[0].length))];
}

const STYLES = { t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" }, f: { dateStyle: "long", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" } };
function moment([, seconds, style]) {
  if (style !== "R") return new Date(seconds * 1000).toLocaleString([], STYLES[style] || STYLES.f);
  const ahead = Math.round(seconds - Date.now() / 1000);
  const [unit, size] = Math.abs(ahead) < 90 ? ["second", 1] : Math.abs(ahead) < 5400 ? ["minute", 60] : ["hour", 3600];
  return new Intl.RelativeTimeFormat("en").format(Math.round(ahead / size), unit);
}

const nameOf = (id) => (state.people.find((p) => p.id === id) || { name: state.bot.username }).name;
const titled = (name) => name[0].toUpperCase() + name.slice(1);
const placeOf = (id) => (state.places.flatMap((p) => p.channels).find((c) => c.id === id) || { name: "elsewhere" }).name;
const block = (kind, text) => text ? el("div", { class: `${kind} words` }, ...words(text)) : null;

/* Messages */

function picture(media, name, alt, kind = "") {
  const frame = el("span", { class: `picture ${kind}` }, el("img", { src: media.url, alt: alt || name, title: alt || name }));
  if ((name || media.url.split("/").pop()).startsWith("SPOILER_")) {
    frame.classList.add("spoiler");
    frame.addEventListener("click", () => frame.classList.remove("spoiler"));
  }
  return frame;
}

function attachment(file) {
  if ((file.content_type || "").startsWith("image/")) return picture(file, file.filename, file.description);
  return el("div", { class: "words" }, el("a", { href: file.url }, `${file.filename} (${file.size} bytes)`));
}

function embed(shape) {
  const colour = shape.color == null ? "" : `#${shape.color.toString(16).padStart(6, "0")}`;
  const box = el("div", { class: "embed" });
  box.style.borderLeftColor = colour;
  if (shape.author) {
    const icon = shape.author.icon_url ? el("img", { src: shape.author.icon_url, alt: "" }) : null;
    box.append(el("div", { class: "author" }, icon, shape.author.name));
  }
  box.append(...[block("title", shape.title), block("body", shape.description)].filter(Boolean));
  if (shape.fields && shape.fields.length) {
    const pairs = shape.fields.map((f) => el("div", {}, el("b", {}, f.name), block("", f.value)));
    box.append(el("div", { class: "pairs" }, ...pairs));
  }
  if (shape.thumbnail) box.append(el("img", { class: "thumbnail", src: shape.thumbnail.url, alt: "preview" }));
  if (shape.image) box.append(picture(shape.image, "", shape.image.description, "image"));
  if (shape.footer) box.append(el("div", { class: "footer" }, shape.footer.text));
  return box;
}

function component(shape, message) {
  const inner = () => (shape.components || []).map((c) => component(c, message));
  switch (shape.type) {
    case 1: return el("div", { class: "row" }, ...inner());
    case 2: return button(shape, message);
    case 3: return menu(shape, message);
    case 9: return el("div", { class: "section" }, el("div", {}, ...inner()), component(shape.accessory, message));
    case 10: return block("", shape.content);
    case 11: return picture(shape.media, "", shape.description);
    case 12: return el("div", {}, ...shape.items.map((item) => picture(item.media, "", item.description)));
    case 14: return el("hr");
    case 17: return framed(shape, el("div", { class: "layout" }, ...inner()));
    default: return el("span", {}, `(component ${shape.type})`);
  }
}

function framed(shape, box) {
  if (shape.accent_color != null) box.style.borderLeft = `4px solid #${shape.accent_color.toString(16).padStart(6, "0")}`;
  return box;
}

function face(shape) {
  return [shape.emoji && shape.emoji.name, shape.label].filter(Boolean).join(" ");
}

function button(shape, message) {
  if (shape.url) return el("a", { href: shape.url, target: "_blank", rel: "noreferrer" }, face(shape));
  const press = () => act({ do: "press", message: message.id, control: shape.custom_id });
  return el("button", { class: `s${shape.style}`, disabled: !!shape.disabled, onclick: press }, face(shape));
}

function menu(shape, message) {
  const many = (shape.max_values ?? 1) > 1;
  const choose = (event) => {
    const values = [...event.target.selectedOptions].map((o) => o.value).filter(Boolean);
    if (!many && values.length) act({ do: "choose", message: message.id, control: shape.custom_id, values });
  };
  const list = el("select", { disabled: !!shape.disabled, multiple: many, "aria-label": shape.placeholder, onchange: choose });
  if (!many) list.append(el("option", { value: "" }, shape.placeholder || "Choose"));
  for (const o of shape.options) list.append(el("option", { value: o.value, selected: !!o.default, title: o.description }, face(o)));
  if (!many) return list;
  const send = () => act({ do: "choose", message: message.id, control: shape.custom_id, values: [...list.selectedOptions].map((o) => o.value) });
  return el("span", { class: "row" }, list, el("button", { onclick: send }, "OK"));
}

function origin(message) {
  const quoted = message.referenced_message;
  if (message.message_reference) {
    const text = quoted ? quoted.content || (quoted.embeds[0] || {}).title || (quoted.embeds[0] || {}).description || "a picture" : "a deleted message";
    return el("div", { class: "origin" }, `↩ ${quoted ? titled(quoted.author.global_name || quoted.author.username) : ""} ${text}`);
  }
  const cause = message.interaction_metadata;
  return cause && cause.name ? el("div", { class: "origin" }, `${cause.user.global_name} used ${cause.command_type === 1 ? "/" : ""}${cause.name}`) : null;
}

function reactions(message) {
  const row = el("div", { class: "reactions" });
  for (const [name, who] of Object.entries(message.who)) {
    const mine = who.includes(state.user) ? "mine" : "";
    const toggle = () => act({ do: "react", message: message.id, face: name });
    row.append(el("button", { class: mine, title: who.map(nameOf).join(", "), onclick: toggle }, `${name} ${who.length}`));
  }
  return row;
}

function tools(message, item) {
  if (message.private) return el("div", { class: "private-note" }, "👁 Only you can see this · ",
    el("button", { class: "quiet", onclick: () => item.remove() }, "Dismiss"));
  const row = el("div", { class: "tools" });
  for (const name of FACES) row.append(el("button", { class: "quiet", title: `React with ${name}`, onclick: () => act({ do: "react", message: message.id, face: name }) }, name));
  for (const entry of state.commands.filter((c) => c.type === 3)) {
    row.append(el("button", { class: "quiet", title: "App", onclick: () => act({ do: "menu", message: message.id, command: entry.path }) }, entry.path));
  }
  row.append(el("button", { class: "quiet", title: "Delete the message", onclick: () => act({ do: "delete", message: message.id }) }, "🗑"));
  return row;
}

function draw(message) {
  const item = el("li", { id: `m${message.id}`, class: `${message.author.bot ? "bot" : ""} ${message.private ? "private" : ""}` });
  const time = new Date(message.timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const name = titled(message.author.global_name || message.author.username);
  item.append(...[
    origin(message),
    el("span", { class: "face", "aria-hidden": "true" }, name[0].toUpperCase()),
    el("span", { class: "name" }, name),
    message.author.bot ? el("span", { class: "tag" }, "APP") : null,
    el("span", { class: "when" }, message.edited_timestamp && !message.author.bot ? `${time} (edited)` : time),
    message.flags & 128 ? el("div", { class: "when" }, "is thinking …") : block("", message.content),
    ...message.embeds.map(embed),
    ...(message.attachments.length ? [el("div", {}, ...message.attachments.map(attachment))] : []),
    ...message.components.map((c) => component(c, message)),
    reactions(message),
    tools(message, item),
  ].filter(Boolean));
  return item;
}

function show(message) {
  const old = at(`m${message.id}`);
  if (old) old.replaceWith(draw(message));
  else at("messages").append(draw(message));
}

/* Acting */

async function post(order) {
  const body = JSON.stringify({ user: state.user, channel: state.channel, ...order });
  try {
    const answer = await fetch("/page/act", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return answer.ok ? await answer.json() : { problem: await answer.text() };
  } catch {
    return { problem: "The rehearsal is over: its server does not answer." };
  }
}

async function act(order) {
  at("problem").textContent = "";
  const answer = await post(order);
  at("problem").textContent = answer.problem || "";
  if (answer.modal) openModal(answer);
  return answer;
}

function openModal(form) {
  const dialog = at("modal");
  const [fields, problem] = [dialog.querySelector(".fields"), dialog.querySelector(".problem")];
  dialog.querySelector("h2").textContent = form.title;
  problem.textContent = "";
  fields.replaceChildren(...form.components.map(modalField));
  dialog.querySelector(".quiet").onclick = () => dialog.close();
  dialog.querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    const values = {};
    for (const input of fields.querySelectorAll("[name]")) {
      if (input.type === "file") { if (input.files[0]) values[input.name] = await fileOf(input.files[0]); }
      else if (input.options) values[input.name] = [...input.selectedOptions].map((o) => o.value).filter(Boolean);
      else values[input.name] = input.value;
    }
    dialog.close();
    act({ do: "submit", modal: form.modal, values });
  };
  dialog.showModal();
}

function modalField(outer) {
  if (outer.type === 10) return block("", outer.content);
  const field = outer.component || outer.components[0];
  const shared = { name: field.custom_id, required: field.required !== false };
  let input;
  if (field.type === 4) {
    const more = { ...shared, maxlength: field.max_length || 4000, minlength: field.min_length, placeholder: field.placeholder };
    input = el(field.style === 2 ? "textarea" : "input", { ...more, rows: 5 });
    input.value = field.value || "";
  } else if (field.type === 19) {
    input = el("input", { ...shared, type: "file" });
  } else {
    input = el("select", { ...shared, multiple: (field.max_values ?? 1) > 1 });
    if (!input.multiple && !shared.required) input.append(el("option", { value: "" }, field.placeholder || "—"));
    for (const o of field.options || []) input.append(el("option", { value: o.value, selected: !!o.default }, face(o)));
  }
  return el("label", {}, outer.label || field.label, outer.description ? el("small", {}, outer.description) : null, input);
}

const fileOf = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve({ filename: file.name, data: reader.result });
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

/* Commands */

function listCommands() {
  const offered = state.commands.filter((c) => c.type === 1);
  at("commands").replaceChildren(...offered.map((c) =>
    el("button", { class: "choice", role: "listitem", title: c.description, onclick: () => choose(c) }, `/${c.path}`)));
  if (!offered.length) at("commands").append(state.online ? "No commands for you here." : "The bot is not connected.");
}

function choose(entry) {
  command = entry;
  at("composer").hidden = false;
  at("chosen").textContent = `/${entry.path}`;
  at("about").textContent = entry.description;
  const required = entry.options.filter((o) => o.required);
  at("fields").replaceChildren(...required.map(optionField));
  listAdders();
  const first = at("fields").querySelector("input, select");
  if (first) first.focus();
}

function listAdders() {
  const there = new Set([...at("fields").children].map((f) => f.dataset.option));
  const left = command.options.filter((o) => !there.has(o.name));
  at("adders").replaceChildren(...left.map((o) => el("button", { type: "button", class: "choice", title: o.description, onclick: () => {
    const field = optionField(o);
    at("fields").append(field);
    listAdders();
    field.querySelector("input, select").focus();
  } }, `+ ${o.name}`)));
}

function optionField(option) {
  const input = optionInput(option);
  input.dataset.type = option.type;
  input.required = !!option.required;
  const field = el("div", { class: "field" }, el("span", { class: option.required ? "required" : "", title: option.description }, option.name), input);
  field.dataset.option = option.name;
  input.setAttribute("aria-label", `${option.name}: ${option.description}`);
  if (option.autocomplete) suggestFor(option, input, field);
  if (!option.required) field.append(el("button", { type: "button", class: "quiet", "aria-label": `Remove ${option.name}`, onclick: () => { field.remove(); listAdders(); } }, "✕"));
  return field;
}

function optionInput(option) {
  const pick = (pairs) => el("select", {}, ...pairs.map(([value, name]) => el("option", { value }, name)));
  if (option.choices && option.choices.length) return pick(option.choices.map((c) => [c.value, c.name]));
  if (option.type === 5) return pick([["true", "True"], ["false", "False"]]);
  if (option.type === 6) return pick(state.members.map((m) => [m.id, m.name]));
  if (option.type === 11) return el("input", { type: "file" });
  if (option.type === 4 || option.type === 10) {
    return el("input", { type: "number", min: option.min_value, max: option.max_value, step: option.type === 4 ? 1 : "any" });
  }
  return el("input", { maxlength: option.max_length, minlength: option.min_length, placeholder: option.description, autocomplete: "off" });
}

function suggestFor(option, input, field) {
  const box = el("div", { class: "suggestions", hidden: true });
  field.append(box);
  let timer = 0;
  const ask = async () => {
    const answer = await post({ do: "autocomplete", command: command.path, option: option.name, typed: input.value, values: await values(true) });
    const pickers = (answer.choices || []).map((c) => el("button", { type: "button", onclick: () => {
      input.value = c.name;
      input.dataset.value = c.value;
      box.hidden = true;
    } }, c.name));
    box.replaceChildren(...pickers);
    box.hidden = !pickers.length;
  };
  const soon = () => { delete input.dataset.value; clearTimeout(timer); timer = setTimeout(ask, 200); };
  input.addEventListener("input", soon);
  input.addEventListener("focus", soon);
  field.addEventListener("focusout", (event) => { if (!field.contains(event.relatedTarget)) box.hidden = true; });
}

async function values(partly = false) {
  const filled = {};
  for (const field of at("fields").children) {
    const input = field.querySelector("input, select");
    const kind = Number(input.dataset.type);
    const text = input.dataset.value ?? input.value;
    if (kind === 11) { if (input.files[0] && !partly) filled[field.dataset.option] = await fileOf(input.files[0]); }
    else if (text === "") continue;
    else if (kind === 5) filled[field.dataset.option] = text === "true";
    else if (kind === 6) filled[field.dataset.option] = { user: text };
    else filled[field.dataset.option] = kind === 4 || kind === 10 ? Number(text) : text;
  }
  return filled;
}

async function send(event) {
  event.preventDefault();
  const answer = await act({ do: "slash", command: command.path, values: await values() });
  if (!answer.problem) leave();
}

const leave = () => { command = null; at("composer").hidden = true; };

/* Places */

function listPlaces() {
  at("people").replaceChildren(...state.people.map((p) => el("option", { value: p.id, selected: p.id === state.user }, p.name)));
  at("roles").textContent = state.people.find((p) => p.id === state.user).roles;
  at("places").replaceChildren(...state.places.flatMap((place) => [
    el("h2", {}, place.name),
    ...place.channels.map((c) => el("button", { class: c.id === state.channel ? "here" : "", onclick: () => go(state.user, c.id) },
      `${place.name === "Direct messages" ? "@" : "#"} ${c.name}`)),
  ]));
  const here = state.places.flatMap((p) => p.channels).find((c) => c.id === state.channel);
  at("title").textContent = here ? `# ${here.name}` : "Direct messages";
}

async function load(user, channel) {
  state = await (await fetch(`/page/state?${new URLSearchParams({ user, channel })}`)).json();
  listPlaces();
  listCommands();
}

async function go(user = "", channel = "") {
  leave();
  at("problem").textContent = "";
  if (stream) stream.close();
  await load(user, channel);
  at("messages").replaceChildren();
  state.messages.forEach(show);
  stream = new EventSource(`/page/events?${new URLSearchParams({ user: state.user, channel: state.channel })}`);
  stream.onmessage = ({ data }) => {
    const change = JSON.parse(data);
    if (change.message) show(change.message);
    else if (change.gone) at(`m${change.gone}`)?.remove();
    else if (change.changed) load(state.user, state.channel);
  };
}

at("people").addEventListener("change", (event) => go(event.target.value, ""));
at("composer").addEventListener("submit", send);
at("leave").addEventListener("click", leave);
go();
