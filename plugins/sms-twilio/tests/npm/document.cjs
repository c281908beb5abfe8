// Twilio's description of its API, as it comes with the libraries of its command line, cut down to the calls that are made here: on stdout.
const fs = require("fs");
const path = require("path");

const folder = path.join(
  path.dirname(require.resolve("@twilio/cli-core/package.json")),
  "src/services/twilio-api",
);
const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
const api = read("twilio_api_v2010.json");
const messaging = read("twilio_messaging_v1.json");
const account = "/2010-04-01/Accounts";
const paths = {};
for (const [document, name] of [
  [api, `${account}/{Sid}.json`],
  [api, `${account}/{AccountSid}/Messages.json`],
  [api, `${account}/{AccountSid}/IncomingPhoneNumbers.json`],
  [messaging, "/v1/Services/{Sid}"],
]) {
  // Hosts are not what is looked at.
  const { servers, ...described } = document.paths[name];
  paths[name] = described;
}
const components = {
  ...api.components,
  schemas: { ...messaging.components.schemas, ...api.components.schemas },
};
// The addresses of pages are paths, in Twilio's own examples too, and are described as whole addresses.
const written = (name, value) =>
  /(^|_)uri$/.test(name) && value?.format === "uri" ? { ...value, format: undefined } : value;
process.stdout.write(JSON.stringify({ openapi: api.openapi, info: api.info, paths, components }, written));
