using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Support.Doors;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Doors;

/// <summary>The engine serves a second public system, with names, an envelope and pages of its own.</summary>
public sealed class OtherDoorTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_record_made_through_one_door_is_read_through_the_other()
    {
        await using var app = await OtherDoor.Serve(Server.Services);
        using var other = Client(app);

        var made = await other.PostAsJsonAsync("/api/people", new { firstName = "Jane", companyId = (string?)null });
        var person = JsonElement.Parse(await made.Content.ReadAsStringAsync());

        Assert.Equal((HttpStatusCode.Created, "Jane"), (made.StatusCode, person.GetProperty("firstName").GetString()));
        Assert.Equal("Jane", (await Api.Get($"/v1/contacts/{person.GetProperty("id").GetString()}")).Is(200).Text("first_name"));
    }

    [Fact]
    public async Task A_page_is_a_window_and_says_which_part_of_the_whole_it_is()
    {
        await using var app = await OtherDoor.Serve(Server.Services);
        using var other = Client(app);
        for (var i = 0; i < 7; i++) await Api.Create("contacts", new { first_name = $"Jane {i}" });

        var page = await other.GetAsync(new Uri("/api/people?offset=2&limit=3", UriKind.Relative));

        Assert.Equal("people 2-4/7", page.Content.Headers.GetValues("Content-Range").Single());
        var people = JsonElement.Parse(await page.Content.ReadAsStringAsync());
        Assert.Equal(["Jane 4", "Jane 3", "Jane 2"], people.EnumerateArray().Select(person => person.GetProperty("firstName").GetString()));
    }

    [Fact]
    public async Task Faults_are_told_in_the_names_of_the_door()
    {
        await using var app = await OtherDoor.Serve(Server.Services);
        using var other = Client(app);

        var refused = await other.PostAsJsonAsync("/api/people", new { firstName = 1, companyId = "x" });

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var fields = JsonElement.Parse(await refused.Content.ReadAsStringAsync()).GetProperty("fields").EnumerateArray().Select(field => field.GetString());
        Assert.Equal(["firstName", "companyId"], fields);
    }

    [Fact]
    public async Task A_repeat_gets_the_answer_of_the_first_in_the_form_of_the_door()
    {
        await using var app = await OtherDoor.Serve(Server.Services);
        using var other = Client(app);
        other.DefaultRequestHeaders.Add("Idempotency-Key", Guid.CreateVersion7().ToString());

        var first = await (await other.PostAsJsonAsync("/api/people", new { firstName = "Jane" })).Content.ReadAsStringAsync();
        var repeat = await other.PostAsJsonAsync("/api/people", new { firstName = "Jane" });

        Assert.Equal((first, "true"), (await repeat.Content.ReadAsStringAsync(), repeat.Headers.GetValues("Idempotency-Replayed").Single()));
    }

    [Theory]
    [InlineData("/api/people?offset=-1", "")]
    [InlineData("/api/people/x", "")]
    [InlineData("/api/people", "no key")]
    public async Task What_the_pipeline_refuses_is_refused_here_too(string path, string key)
    {
        await using var app = await OtherDoor.Serve(Server.Services);
        using var other = Client(app, key.Length > 0 ? key : null);

        var refused = await other.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(key.Length > 0 ? HttpStatusCode.Unauthorized : HttpStatusCode.BadRequest, refused.StatusCode);
    }

    private HttpClient Client(WebApplication app, string? key = null)
    {
        var client = new HttpClient(
            new SocketsHttpHandler())
        {
            BaseAddress = new Uri(
                app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First())
        };
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {key ?? Api.Key}");
        return client;
    }
}
