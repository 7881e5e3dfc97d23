// SPDX-License-Identifier: Apache-2.0
// In chrome://certificate-manager/localcerts/usercerts: answers what it shows of the user's own
// certificates, as "trusted HASH… intermediate HASH… distrusted HASH…". The first argument is what is
// to be shown, which is waited for: the browser fills the lists when it likes. With a second, that one is
// deleted first, as a person does.
const WORDS = {"Trusted Certificates": "trusted", "Intermediate Certificates": "intermediate",
               "Distrusted Certificates": "distrusted"};

function all(node, out = []) {
  for (const element of node.querySelectorAll("*")) {
    out.push(element);
    if (element.shadowRoot) {
      all(element.shadowRoot, out);
    }
  }
  return out;
}

async function until(look, what) {
  for (let i = 0; i < 400; i++) {
    const found = look();
    if (found) {
      return found;
    }
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  throw new Error(`no ${what}`);
}

const section = await until(
  () => all(document).find(e => e.id === "userCertsSection" && e.shadowRoot), "section");
const lists = () => all(section.shadowRoot).filter(e => e.tagName === "CERTIFICATE-LIST");
await until(() => lists().length === 3, "lists");
const shown = list => all(list.shadowRoot).filter(e => e.tagName === "CERTIFICATE-ENTRY");
const hash = entry => entry.shadowRoot.querySelector("#certhash").value.toLowerCase();
const read = () => lists().map(
  list => [WORDS[list.headerText], ...shown(list).map(hash).sort()].join(" ")).join(" ");
if (args.length > 1) {
  const entries = () => lists().flatMap(shown).filter(entry => hash(entry) === args[1]);
  (await until(() => entries()[0], "such certificate")).shadowRoot.querySelector("#delete").click();
  const sure = () => all(document).find(
    e => e.tagName === "CR-BUTTON" && e.id === "ok" && e.getBoundingClientRect().width > 0);
  (await until(sure, "question")).click();
  await until(() => entries().length === 0, "end of it");
}
await until(() => read() === args[0], "such lists").catch(() => {});
return read();
