using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.ApiKeys;

/// <summary>What a key opens is decided by its record alone, whatever else happens to the key at the same time.</summary>
public sealed class RevocationTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_key_rotated_and_revoked_at_once_opens_nothing_afterwards()
    {
        for (var round = 0; round < 10; round++)
        {
            var key = await Api.Create("api-keys", new { name = "Raced", scopes = new[] { "*" } });
            var path = $"/v1/api-keys/{key.Id}";
            var rotations = Enumerable.Range(0, 3).Select(_ => Api.Post($"{path}/rotate", new { grace_seconds = 600_000 })).ToList();
            (await Api.Delete(path)).Is(204);

            var secrets = (await Task.WhenAll(rotations)).Where(reply => reply.Status == 200).Select(reply => reply.Text("secret")).Append(key.Text("secret"));
            foreach (var secret in secrets) (await Api.With(secret).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        }
    }

    [Fact]
    public async Task Of_many_rotations_at_once_the_last_two_secrets_work()
    {
        var key = await Api.Create("api-keys", new { name = "Raced", scopes = new[] { "*" } });
        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Api.Post($"/v1/api-keys/{key.Id}/rotate", new { grace_seconds = 600 })));

        var newest = replies.OrderBy(reply => int.Parse(reply.Is(200).ETag.Trim('"'), System.Globalization.CultureInfo.InvariantCulture))
            .Select(reply => reply.Text("secret")).ToList();
        foreach (var secret in newest.TakeLast(2)) (await Api.With(secret).Get("/v1/contacts")).Is(200);
        foreach (var secret in newest.SkipLast(2).Append(key.Text("secret"))) (await Api.With(secret).Get("/v1/contacts")).Is(401);
    }

    [Fact]
    public async Task A_repeated_creation_answers_the_same_secret_and_makes_one_key()
    {
        var header = ("Idempotency-Key", "new key");
        var first = (await Api.Post("/v1/api-keys", new { name = "Once", scopes = new[] { "*" } }, header)).Is(201);
        var repeat = (await Api.Post("/v1/api-keys", new { name = "Once", scopes = new[] { "*" } }, header)).Is(201);

        Assert.Equal(first.Text("secret"), repeat.Text("secret"));
        (await Api.With(first.Text("secret")).Get("/v1/contacts")).Is(200);
    }

    [Fact]
    public async Task A_test_keys_own_repeats_are_known_too()
    {
        var test = await Api.InTest();
        var header = ("Idempotency-Key", "new key");
        var first = (await test.Post("/v1/api-keys", new { name = "Once", scopes = new[] { "*" } }, header)).Is(201);
        Assert.Equal(first.Id, (await test.Post("/v1/api-keys", new { name = "Once", scopes = new[] { "*" } }, header)).Is(201).Id);
    }
}
