// The library of Standard Webhooks judges posts: on stdin a list of { secret, headers, body }, on stdout for each what it read, or null.
const { Webhook } = require("standardwebhooks");

const posts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const now = Date.now();
const judged = posts.map(({ secret, headers, body }) => {
  // It takes nothing that is older than five minutes: the clock is that of the post.
  Date.now = () => Number(headers["webhook-timestamp"]) * 1000;
  const RealDate = Date;
  global.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length ? given : [Number(headers["webhook-timestamp"]) * 1000]));
    }
  };
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (error) {
    return null;
  } finally {
    global.Date = RealDate;
    Date.now = () => now;
  }
});
process.stdout.write(JSON.stringify(judged));
