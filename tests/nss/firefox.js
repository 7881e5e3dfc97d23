/* SPDX-License-Identifier: Apache-2.0 */
/* Runs inside Firefox with its own privileges: what it says of certificates itself.
 *   "builtin", COMMON-NAME   that root of the browser's own, as Base64
 *   "add", BASE64, TRUST     as its certificate manager adds it
 *   "trusts", BASE64         whether it is an anchor, and the code that verifying it as a server's
 *                            CA ends with: "true 0" or "false -8172"
 *   "group"                  makes one more profile as the browser's own profile manager does;
 *                            its directory */
const db = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
const [what, subject, trust] = arguments;

function verify(cert) {
  return new Promise(resolve => {
    const question = [cert, db.verifyUsageTLSServerCA ?? 8, db.FLAG_LOCAL_ONLY, "", Date.now() / 1000];
    try {
      db.asyncVerifyCertAtTime(...question, [], resolve);
    } catch (error) { // before Firefox 150 or so it had one parameter fewer
      db.asyncVerifyCertAtTime(...question, resolve);
    }
  });
}

async function trusts(cert) {
  const anchor = db.isCertTrusted(cert, Ci.nsIX509Cert.CA_CERT, db.TRUSTED_SSL);
  return `${anchor} ${await verify(cert)}`;
}

async function group() {
  const { SelectableProfileService } = ChromeUtils.importESModule(
    "resource:///modules/profiles/SelectableProfileService.sys.mjs");
  await SelectableProfileService.init();
  await SelectableProfileService.maybeSetupDataStore();
  return (await SelectableProfileService.createNewProfile(false)).path;
}

const verbs = {
  builtin: () => db.getCerts().find(
    c => c.tokenName == "Builtin Object Token" && c.commonName == subject).getBase64DERString(),
  add: () => db.addCertFromBase64(subject, trust).commonName,
  group,
  trusts: () => trusts(db.constructX509FromBase64(subject)),
};
return verbs[what]();
