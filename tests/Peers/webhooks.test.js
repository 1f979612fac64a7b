// Libraries that know nothing of this product take its deliveries for genuine, and nothing else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { startLocalHost, startReceiver } from "./localHost.js";

const libraries = { standardwebhooks: StandardWebhook, svix: SvixWebhook };

let host, receiver, endpoint, delivery;

before(async () => {
  [host, receiver] = await Promise.all([startLocalHost(), startReceiver()]);
  endpoint = await host.post("webhooks", { url: receiver.address, events: ["contact.*"] });
  await host.post("contacts", { email: "jane@example.com", first_name: "Žluť \u2028 <&>" });
  delivery = await receiver.next();
});

after(async () => {
  receiver?.stop();
  await host?.stop();
});

for (const [name, Webhook] of Object.entries(libraries)) {
  test(`${name} takes a delivery for genuine and reads the event`, () => {
    const event = new Webhook(endpoint.secret).verify(delivery.body.toString(), delivery.headers);
    assert.equal(event.event, "contact.created");
    assert.equal(event.id, delivery.headers["webhook-id"]);
    assert.equal(event.data.attributes.first_name, "Žluť \u2028 <&>");
  });

  test(`${name} refuses a delivery that was tampered with`, () => {
    const webhook = new Webhook(endpoint.secret);
    const body = delivery.body.toString();
    assert.throws(() => webhook.verify(body.replace("jane@", "joan@"), delivery.headers));
    assert.throws(() => webhook.verify(body, { ...delivery.headers, "webhook-id": "evt_00000000000000000000" }));
    assert.throws(() => webhook.verify(body, { ...delivery.headers, "webhook-timestamp": String(Number(delivery.headers["webhook-timestamp"]) - 1) }));
    assert.throws(() => new Webhook("whsec_" + Buffer.alloc(32).toString("base64")).verify(body, delivery.headers));
  });

  test(`${name} refuses a delivery that is old`, (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 6 * 60 * 1000 });
    assert.throws(() => new Webhook(endpoint.secret).verify(delivery.body.toString(), delivery.headers), /too old/);
  });
}

test("while a secret is rotated both take the delivery for genuine, and afterwards the new one alone", async () => {
  const made = await host.post("webhooks", { url: receiver.address, events: ["company.created"] });
  const rotated = await host.post(`webhooks/${made.id}/rotate-secret`, { grace_seconds: 600 });
  await host.post("companies", { name: "Acme" });
  const during = await receiver.next();
  for (const Webhook of Object.values(libraries))
    for (const secret of [made.secret, rotated.secret]) assert.equal(new Webhook(secret).verify(during.body.toString(), during.headers).event, "company.created");

  const again = await host.post(`webhooks/${made.id}/rotate-secret`, { grace_seconds: 0 });
  await host.post("companies", { name: "Zeta" });
  const afterwards = await receiver.next();
  for (const Webhook of Object.values(libraries)) {
    assert.equal(new Webhook(again.secret).verify(afterwards.body.toString(), afterwards.headers).event, "company.created");
    assert.throws(() => new Webhook(rotated.secret).verify(afterwards.body.toString(), afterwards.headers));
  }
});

test("a test event is signed as all the others are", async () => {
  const tested = host.post(`webhooks/${endpoint.id}/test`, {});
  const sent = await receiver.next();
  assert.equal(new StandardWebhook(endpoint.secret).verify(sent.body.toString(), sent.headers).event, "webhook.test");
  assert.equal((await tested).outcome, "delivered");
});
