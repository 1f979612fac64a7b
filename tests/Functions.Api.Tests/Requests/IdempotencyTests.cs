using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Requests;

public sealed class IdempotencyTests(Server server) : ApiTests(server)
{
    private static readonly (string, string) Key = ("Idempotency-Key", "order-1");

    [Fact]
    public async Task A_repeat_gets_the_first_answer_and_changes_nothing()
    {
        var first = (await Api.Post("/v1/contacts", new { email = "jane@example.com" }, Key)).Is(201);
        var repeat = (await Api.Post("/v1/contacts", new { email = "jane@example.com" }, Key)).Is(201);

        Assert.Equal(first.Raw, repeat.Raw);
        Assert.Equal((first.ETag, first.Header("Location")), (repeat.ETag, repeat.Header("Location")));
        Assert.Equal((null, "true"), (first.Header("Idempotency-Replayed"), repeat.Header("Idempotency-Replayed")));
        Assert.Equal([first.Id], (await Api.Get("/v1/contacts")).Ids);
        Assert.Single((await Api.Get("/v1/events?type=contact.created")).List);
    }

    [Fact]
    public async Task Another_request_under_the_same_key_is_refused()
    {
        (await Api.Post("/v1/contacts", new { first_name = "Jane" }, Key)).Is(201);

        (await Api.Post("/v1/contacts", new { first_name = "June" }, Key)).IsError(422, "IDEMPOTENCY_KEY_REUSED");
        (await Api.Post("/v1/companies", new { name = "Jane" }, Key)).IsError(422, "IDEMPOTENCY_KEY_REUSED");
        Assert.Single((await Api.Get("/v1/contacts")).List);
    }

    [Fact]
    public async Task A_raced_request_takes_effect_once()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Api.Post("/v1/contacts", new { first_name = "Jane" }, Key)));

        Assert.All(replies, reply => Assert.True(reply.Status == 201 || (reply.Status == 409 && reply.Code == "IDEMPOTENCY_IN_PROGRESS"), reply.Raw));
        Assert.Single(replies.Where(reply => reply.Status == 201).Select(reply => reply.Id).Distinct());
        Assert.Single((await Api.Get("/v1/contacts")).List);
    }

    [Fact]
    public async Task Updates_and_deletions_are_repeated_too()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });
        var path = $"/v1/contacts/{contact.Id}";
        var first = (await Api.Patch(path, new { last_name = "Smith" }, ("Idempotency-Key", "patch"), ("If-Match", "\"1\""))).Is(200);
        var repeat = (await Api.Patch(path, new { last_name = "Smith" }, ("Idempotency-Key", "patch"), ("If-Match", "\"1\""))).Is(200);
        Assert.Equal(first.Raw, repeat.Raw);

        (await Api.Delete(path, ("Idempotency-Key", "delete"))).Is(204);
        Assert.Equal("true", (await Api.Delete(path, ("Idempotency-Key", "delete"))).Is(204).Header("Idempotency-Replayed"));
        (await Api.Delete(path)).Is(404);
    }

    [Fact]
    public async Task A_repeated_deletion_leaves_the_connection_open_for_the_next_request()
    {
        var path = $"/v1/contacts/{(await Api.Create("contacts", new { })).Id}";
        (await Api.Delete(path, Key)).Is(204);

        var answers = await RawRequest.Send(
            Server.Address,
            $"DELETE {path} HTTP/1.1\nHost: x\nAuthorization: Bearer {Api.Key}\nIdempotency-Key: {Key.Item2}\n\nGET /health HTTP/1.1\nHost: x\n"
                + $"Connection: close\n\n");

        Assert.StartsWith("HTTP/1.1 204 ", answers, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200 ", answers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_state_forbade_is_repeated_what_was_wrong_with_the_request_is_not()
    {
        var taken = await Api.Create("contacts", new { email = "jane@example.com" });
        (await Api.Post("/v1/contacts", new { email = "jane@example.com" }, Key)).IsError(409, "CONFLICT");
        await Api.Delete($"/v1/contacts/{taken.Id}");
        var repeat = (await Api.Post("/v1/contacts", new { email = "jane@example.com" }, Key)).Is(409);
        Assert.Equal(("CONFLICT", "true"), (repeat.Code, repeat.Header("Idempotency-Replayed")));

        (await Api.Post("/v1/contacts", new { email = "nonsense" }, ("Idempotency-Key", "other"))).IsInvalid("email");
        (await Api.Post("/v1/contacts", new { email = "jane@example.com" }, ("Idempotency-Key", "other"))).Is(201);
    }

    [Fact]
    public async Task A_secret_is_answered_again_and_lies_sealed_on_disk()
    {
        var first = (await Api.Post("/v1/webhooks", new { url = "https://example.com/hook" }, Key)).Is(201);
        var repeat = (await Api.Post("/v1/webhooks", new { url = "https://example.com/hook" }, Key)).Is(201);

        Assert.Equal(first.Text("secret"), repeat.Text("secret"));
        Assert.Single((await Api.Get("/v1/webhooks")).List);
        Assert.False(Files.Contain(Server.Folder, System.Text.Encoding.UTF8.GetBytes(first.Text("secret")!["whsec_".Length..])));
    }

    [Fact]
    public async Task Keys_belong_to_one_credential()
    {
        var other = await Api.WithScopes(["*"]);
        (await Api.Post("/v1/contacts", new { first_name = "Jane" }, Key)).Is(201);
        (await other.Post("/v1/contacts", new { first_name = "June" }, Key)).Is(201);
    }

    [Fact]
    public async Task A_key_has_1_to_255_characters()
    {
        (await Api.Post("/v1/contacts", new { }, ("Idempotency-Key", new string('k', 256)))).IsInvalid("Idempotency-Key");
        (await Api.Post("/v1/contacts", new { }, ("Idempotency-Key", new string('k', 255)))).Is(201);
    }
}
