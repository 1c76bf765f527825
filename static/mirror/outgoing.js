// What may leave the visitor's browser, and what may be replayed at the desk: known elements and
// attributes only, in every event of rrweb. It runs in the page before anything is sent, and once
// more at the desk, because the visitor's browser may be hostile.

export const MASK = "••••••";

const words = (text) => new Set(text.trim().split(/\s+/));

const ELEMENTS = words(`
  html head title body style link a abbr address article aside b bdi bdo blockquote br button caption
  center cite code col colgroup data datalist dd del details dfn dialog div dl dt em fieldset
  figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd label
  legend li main map area mark menu meter nav ol optgroup option output p picture pre progress q rp rt
  ruby s samp search section select slot small source span strike strong sub summary sup table tbody
  td textarea tfoot th thead time tr tt u ul var wbr canvas video
  svg g path rect circle ellipse line polyline polygon text tspan defs symbol use image pattern mask
  clippath lineargradient radialgradient stop marker desc filter fegaussianblur feoffset feblend
  fecolormatrix feflood fecomposite femerge femergenode
`);
const ATTRIBUTES = words(`
  class id style href src srcset sizes alt title width height type value checked selected disabled
  readonly placeholder rows cols size colspan rowspan span start reversed dir lang role open hidden
  media rel for min max step low high optimum multiple datetime label shape coords align valign
  bgcolor border cellpadding cellspacing color face nowrap background
  viewbox xmlns preserveaspectratio d x y x1 x2 y1 y2 cx cy r rx ry dx dy points transform fill stroke
  fill-rule clip-rule clip-path mask opacity fill-opacity stroke-width stroke-linecap stroke-linejoin
  stroke-dasharray stroke-dashoffset stroke-opacity stroke-miterlimit gradientunits gradienttransform
  offset stop-color stop-opacity patternunits patterntransform text-anchor dominant-baseline
  font-family font-size font-weight xlink:href vector-effect markerwidth markerheight refx refy orient
  stddeviation in in2 result mode values operator
  data-theme data-mode data-state data-color-mode data-bs-theme
  rr_width rr_height rr_left rr_top rr_scrollleft rr_scrolltop rr_open_mode _csstext
`);
const SOURCES = new Set([0, 1, 2, 3, 4, 5, 6, 8, 13, 15]); // rrweb's incremental events that pass.
const BUTTONS = new Set(["button", "submit", "reset"]);
// Clicks and touches. Focus and blur would take the desk's focus, and the replay would dispatch the
// others as events of its own in the picture.
const MOUSE_SHOWN = new Set([2, 7, 9, 10]);
const LARGEST = 20_000; // Pixels of a page's side.

const FULL = 2;
const INCREMENTAL = 3;
const META = 4;
const ELEMENT = 2;
const TEXT = 3;

/**
 * Return the event as it may pass, or null.
 *
 * showsInputs     what visitors type may pass, unless `isSecret(element)`
 * elementOf(id)   the element in the page; without it (at the desk) nothing more is masked
 */
export function clean(event, { showsInputs = false, elementOf = null, isSecret = () => false } = {}) {
  const how = { showsInputs: showsInputs || !elementOf, elementOf, isSecret };
  const { type, data, timestamp } = event;
  if (type === META) {
    const { width, height } = data;
    return { type, timestamp, data: { href: withoutQuery(data.href), width: side(width), height: side(height) } };
  }
  if (type === FULL) return { type, timestamp, data: { node: cleanNode(data.node, how), initialOffset: data.initialOffset } };
  if (type !== INCREMENTAL || !SOURCES.has(data.source)) return null;
  const cleaned = cleanIncremental(data, how);
  return cleaned && { type, timestamp, data: cleaned };
}

function cleanIncremental(data, how) {
  if (data.source === 0) return cleanMutation(data, how);
  if (data.source === 2 && !MOUSE_SHOWN.has(data.type)) return null;
  if (data.source === 4) return { ...data, width: side(data.width), height: side(data.height) };
  if (data.source !== 5 || how.showsInputs === false) {
    if (data.source !== 5) return data;
    return { source: 5, id: data.id, text: data.text ? MASK : "", isChecked: false };
  }
  const element = how.elementOf?.(data.id);
  if (element && how.isSecret(element)) return { source: 5, id: data.id, text: data.text ? MASK : "", isChecked: false };
  return data;
}

function cleanMutation(data, how) {
  const adds = [];
  for (const add of data.adds ?? []) {
    if (add.node.type === 0) continue; // The document of a frame inside the page.
    adds.push({ ...add, node: cleanNode(add.node, how) });
  }
  const attributes = (data.attributes ?? []).map(({ id, attributes: changed }) => {
    const element = how.elementOf?.(id);
    const tag = element?.tagName?.toLowerCase() ?? "";
    return { id, attributes: cleanAttributes(tag, changed, how, element) };
  });
  const { source, texts = [], removes = [] } = data;
  return { source, texts, removes, adds, attributes };
}

function cleanNode(node, how) {
  if (node.type === TEXT) return node;
  if (node.type !== ELEMENT) {
    if (node.type > 1) return { type: TEXT, id: node.id, textContent: "" }; // Comments, CDATA.
    return node.type === 0
      ? { ...node, childNodes: (node.childNodes ?? []).map((child) => cleanNode(child, how)) }
      : node;
  }
  const tag = String(node.tagName).toLowerCase();
  const { id, rootId, isSVG, isShadowHost, isShadow, needBlock } = node;
  const base = { type: ELEMENT, id, rootId, isSVG, isShadowHost, isShadow, needBlock };
  if (!isKnown(tag, node.attributes ?? {})) {
    // Its number stays: later events may name it.
    return { ...base, needBlock: undefined, tagName: "span", attributes: { style: "display: none" }, childNodes: [] };
  }
  const children = tag === "textarea" ? [] : (node.childNodes ?? []).map((child) => cleanNode(child, how));
  const element = how.elementOf?.(id);
  return {
    ...base,
    tagName: node.tagName,
    attributes: cleanAttributes(tag, node.attributes ?? {}, how, element),
    childNodes: children,
  };
}

function isKnown(tag, { rel, _cssText: css }) {
  if (tag === "link") return css !== undefined || String(rel).trim().toLowerCase() === "stylesheet";
  return ELEMENTS.has(tag) || /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(tag);
}

function cleanAttributes(tag, attributes, how, element) {
  const clean = {};
  for (const [name, value] of Object.entries(attributes)) {
    const lower = name.toLowerCase();
    if (!ATTRIBUTES.has(lower) && !lower.startsWith("aria-")) continue;
    const passed = cleanValue(tag, lower, value, { attributes, how, element });
    if (passed !== undefined) clean[name] = passed;
  }
  return clean;
}

function cleanValue(tag, name, value, { attributes, how, element }) {
  if (value === null || typeof value === "boolean" || typeof value === "number") {
    return isHiddenChoice(name, how, element) ? undefined : value;
  }
  if (name === "style") return value;
  if (typeof value !== "string") return undefined;
  if (name === "value") return cleanInput(tag, value, { attributes, how, element });
  if (name === "rel") return value.trim().toLowerCase() === "stylesheet" ? "stylesheet" : undefined;
  if (name === "href" || name === "xlink:href") return cleanLink(tag, value);
  if (name === "src" || name === "srcset" || name === "background") return isFetched(value) ? value : undefined;
  return isHiddenChoice(name, how, element) ? undefined : value;
}

/** Which box is ticked, and which choice is made, says as much as a text. */
function isHiddenChoice(name, how, element) {
  if (name !== "checked" && name !== "selected") return false;
  return !how.showsInputs || Boolean(element && how.isSecret(element));
}

function cleanInput(tag, value, { attributes, how, element }) {
  const type = String(element?.type ?? attributes.type ?? "").toLowerCase();
  if (type === "hidden" || tag === "option") return undefined;
  if (["meter", "progress", "li"].includes(tag)) return value;
  if ((tag === "button" || tag === "input") && BUTTONS.has(type)) return value;
  const isMasked = !how.showsInputs || Boolean(element && how.isSecret(element));
  return isMasked && value ? MASK : value;
}

function cleanLink(tag, value) {
  if (tag === "link" || tag === "image") return isFetched(value) ? value : undefined;
  if (value.startsWith("#")) return ["use", "lineargradient", "radialgradient", "pattern"].includes(tag) ? value : "#";
  return withoutQuery(value) || undefined;
}

function isFetched(value) {
  return value
    .replace(/[\t\n\r]/g, "") // As browsers read addresses.
    .split(/,\s+/)
    .every((one) => /^\s*(https?:\/\/|data:image\/)/i.test(one) || !/^\s*[a-z][a-z0-9+.-]*:/i.test(one));
}

function withoutQuery(address) {
  try {
    const url = new URL(String(address));
    return ["http:", "https:"].includes(url.protocol) ? url.origin + url.pathname : "";
  } catch {
    return "";
  }
}

const side = (pixels) => Math.min(Math.max(Math.round(Number(pixels)) || 0, 0), LARGEST);
