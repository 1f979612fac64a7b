using System.Net;
using System.Text.Json;
using NodeStash.Support;
using NodeStash.Support.Http;
using NodeStash.Support.Processes;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>What the process does while nothing more can be written to its folder, and afterwards.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int Refused = 100;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-full-");

    private string Data => Path.Combine(folder.FullName, "data");

    [Fact]
    public async Task Writes_are_refused_and_reads_answered_and_once_there_is_space_everything_goes_on()
    {
        await using var receiver = await Receiver.Start();
        var contacts = new List<string>();
        await using (var server = await NodeStashProcess.Serve(Data))
        {
            using var api = server.Client();
            await api.Subscribe(receiver.Address, "contact.*");
            contacts.Add(await api.CreateContact("before@example.com"));
            await receiver.Until(1);
            receiver.AnswerWith(500);
            contacts.Add(await api.CreateContact("failing@example.com"));
            await receiver.Until(2);
            await Eventually.True(() => server.Output.Contains("attempt 1: Status5xx", StringComparison.Ordinal), "the end of the attempt");
            receiver.AnswerWith(200);

            await server.FillDisk(true);
            var lines = server.Output.Split('\n').Length;
            for (var i = 0; i < Refused; i++) await IsRefused(api);
            Assert.Equal(contacts.Order(), (await Ids(api, "contacts")).Order());
            Assert.Equal(contacts, (await Ids(api, "events?type=contact.created")));
            // When the second attempt is due at the latest, the engine has something to write.
            await Eventually.True(() => server.Output.Contains("durable.db does not take writes", StringComparison.Ordinal), "a refusal of the engine's file");
            // A request is two entries of two lines; a trace now and then is beside them, but not with each.
            Assert.InRange(server.Output.Split('\n').Length - lines, Refused, (4 * Refused) + 200);

            await server.FillDisk(false);
            contacts.Add(await api.CreateContact("after@example.com"));
            await Eventually.True(() => contacts.ToHashSet().IsSubsetOf(receiver.Requests.Skip(2).Select(request => request.RecordId).Append(contacts[0])),
                "what was due, and what came later");
            Assert.Contains("takes writes again", server.Output, StringComparison.Ordinal);
            await server.FillDisk(true);
            await IsRefused(api);
            await server.Kill();
        }

        await using var again = await NodeStashProcess.Serve(Data);
        using var client = again.Client();
        Assert.Equal(contacts, await Ids(client, "events?type=contact.created"));
        Assert.Equal(contacts.Order(), (await Ids(client, "contacts")).Order());
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static async Task IsRefused(CrmClient api)
    {
        using var answer = await api.Send(HttpMethod.Post, "contacts", new { email = "refused@example.com" });
        var error = JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("error");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "UNAVAILABLE"), (answer.StatusCode, error.GetProperty("code").GetString()));
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    /// <summary>Of the records on the first page, or of those that the events there are about.</summary>
    private static async Task<IReadOnlyList<string>> Ids(CrmClient api, string path)
    {
        using var answer = await api.Send(HttpMethod.Get, path);
        var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("data").EnumerateArray()
            .Select(one => one.GetProperty("attributes"));
        return [.. page.Select(attributes => (attributes.TryGetProperty("data", out var record) ? record : attributes).GetProperty("id").GetString()!)];
    }
}
