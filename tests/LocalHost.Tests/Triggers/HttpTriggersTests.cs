using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost.Tests.Triggers;

public class HttpTriggersTests
{
    [Theory]
    [InlineData("GET", "/v1/contacts", "list")]
    [InlineData("POST", "/v1/contacts", "create")]
    [InlineData("GET", "/v1/contacts/a%20b", "get a b")]
    [InlineData("GET", "/V1/Contacts/42", "get 42")]
    [InlineData("PUT", "/v1/contacts/42", "put 42")]
    [InlineData("GET", "/files/2026/07/a.txt", "files 2026/07/a.txt")]
    [InlineData("GET", "/optional", "optional none")]
    [InlineData("GET", "/optional/7", "optional 7")]
    [InlineData("PATCH", "/ping", "pong")]
    public async Task A_request_reaches_the_function_of_its_route_and_method(string method, string path, string answer)
    {
        await using var server = await Server.Of(typeof(Contacts));
        Assert.Equal((HttpStatusCode.OK, answer), await server.Send(method, path));
    }

    [Theory]
    [InlineData("DELETE", "/v1/contacts")]
    [InlineData("DELETE", "/v1/contacts/42")]
    [InlineData("POST", "/optional/7")]
    [InlineData("HEAD", "/v1/contacts")]
    [InlineData("BREW", "/v1/contacts")]
    [InlineData("GET", "/v1/contacts/42/more")]
    [InlineData("GET", "/nowhere")]
    [InlineData("GET", "/")]
    public async Task What_no_other_function_takes_reaches_the_catch_all_whatever_its_method(string method, string path)
    {
        await using var server = await Server.Of(typeof(Contacts), typeof(Fallback));
        var answer = method == "HEAD" ? "" : $"{method} {path.TrimStart('/')}";
        Assert.Equal((HttpStatusCode.NotFound, answer), await server.Send(method, path));
    }

    [Fact]
    public async Task The_catch_all_takes_nothing_from_the_others()
    {
        await using var server = await Server.Of(typeof(Fallback), typeof(Contacts));
        Assert.Equal((HttpStatusCode.OK, "get 42"), await server.Send("GET", "/v1/contacts/42"));
        Assert.Equal((HttpStatusCode.OK, "pong"), await server.Send("DELETE", "/ping"));
    }

    [Theory]
    [InlineData("DELETE", HttpStatusCode.Gone)]
    [InlineData("PATCH", HttpStatusCode.MethodNotAllowed)]
    public async Task A_catch_all_of_some_methods_takes_only_those(string method, HttpStatusCode status)
    {
        await using var server = await Server.Of(typeof(Contacts), typeof(SomeMethods));
        Assert.Equal(status, (await server.Send(method, "/v1/contacts")).Status);
    }

    [Fact]
    public async Task Each_request_has_an_instance_and_a_scope_of_its_own()
    {
        await using var server = await Server.Of(typeof(Scoped));
        var (_, first) = await server.Send("GET", "/scoped");
        var (_, second) = await server.Send("GET", "/scoped");
        Assert.StartsWith("same scope", first, StringComparison.Ordinal);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task A_durable_client_is_taken_from_the_services()
    {
        await using var server = await Server.Of(typeof(Starting));
        Assert.Equal((HttpStatusCode.OK, "hub"), await server.Send("POST", "/starting"));
    }

    [Fact]
    public async Task A_client_that_goes_away_cancels_the_function()
    {
        await using var server = await Server.Of(typeof(Waiting));
        using var hurry = new CancellationTokenSource();
        var request = server.Client.GetAsync(new Uri("/waiting", UriKind.Relative), hurry.Token);
        await server.Get<Witness>().Started.Task.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        await hurry.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await server.Get<Witness>().Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
    }

    [Theory]
    [InlineData("GET", "/v1/contacts/batch", "batch of contacts")]
    [InlineData("POST", "/v1/contacts/batch", "post batch")]
    [InlineData("GET", "/v1/contacts/42", "contact 42")]
    public async Task Of_two_routes_that_match_the_function_whose_name_comes_first_has_it(string method, string path, string answer)
    {
        await using var server = await Server.Of(typeof(Overlap));
        Assert.Equal((HttpStatusCode.OK, answer), await server.Send(method, path));
    }

    [Theory]
    [InlineData("/v1/contacts", "/v1/contacts")]
    [InlineData("/starting", "/starting")]
    public async Task A_catch_all_with_an_early_name_takes_everything(string path, string answer)
    {
        await using var server = await Server.Of(typeof(EarlyCatchAll), typeof(Contacts), typeof(Starting));
        Assert.Equal((HttpStatusCode.OK, answer), await server.Send("POST", path));
    }

    public static class Contacts
    {
        [Function("contacts-list")]
        public static IResult List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts")] HttpRequest request) => Text("list", request);

        [Function("contacts-create")]
        public static Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/contacts")] HttpRequest request) =>
            Task.FromResult(Text("create", request));

        [Function("contacts-get")]
        public static async ValueTask<IResult> Get(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts/{id}")] HttpRequest request, string id)
        {
            await Task.Yield();
            return Text("get " + id, request);
        }

        [Function("contacts-replace")]
        public static IResult Put([HttpTrigger("put", Route = "/v1/contacts/{key}")] HttpRequest request, HttpContext http, string key) =>
            Text("put " + key, http.Request == request ? request : null);

        [Function("files")]
        public static IResult Files([HttpTrigger("get", Route = "files/{*path}")] HttpRequest request, string path) => Text("files " + path, request);

        [Function("optional")]
        public static IResult Optional([HttpTrigger("get", Route = "optional/{id?}")] HttpRequest request, string? id) =>
            Text("optional " + (id ?? "none"), request);

        [Function("ping")]
        public static IResult Ping([HttpTrigger] HttpRequest request) => Text("pong", request);

        private static IResult Text(string text, HttpRequest? request) => request is null ? Results.BadRequest() : Results.Text(text);
    }

    public static class Fallback
    {
        [Function("zz-fallback")]
        public static IResult Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "{*path}")] HttpRequest request, string? path) =>
            Results.Text($"{request.Method} {path}", statusCode: StatusCodes.Status404NotFound);
    }

    public static class SomeMethods
    {
        [Function("zz-gone")]
        public static IResult Run([HttpTrigger("get", "post", "delete", Route = "{*path}")] HttpRequest request) =>
            Results.Text(request.Path, statusCode: StatusCodes.Status410Gone);
    }

    public sealed class Scoped(Scoped.State state)
    {
        [Function("scoped")]
        public IResult Run([HttpTrigger] HttpRequest request) =>
            Results.Text((request.HttpContext.RequestServices.GetRequiredService<State>() == state ? "same scope " : "other scope ") + state.Number);

        public sealed class State
        {
            private static int made;

            public int Number { get; } = Interlocked.Increment(ref made);
        }
    }

    public sealed record Hub(string Name);

    public static class Starting
    {
        [Function("starting")]
        public static IResult Run([HttpTrigger("post")] HttpRequest request, [DurableClient] Hub client) =>
            Results.Text(request.Path == "/starting" ? client.Name : "");
    }

    public sealed class Witness
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public sealed class Waiting(Witness witness)
    {
        [Function("waiting")]
        public async Task<IResult> Run([HttpTrigger] HttpRequest request, CancellationToken ct)
        {
            await using var registration = ct.Register(witness.Cancelled.SetResult);
            witness.Started.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, request.HttpContext.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return Results.Empty;
        }
    }

    /// <summary>By the rules of endpoint routing a literal would win from a parameter, whatever the names.</summary>
    public static class Overlap
    {
        [Function("b-contact")]
        public static IResult Contact([HttpTrigger("get", Route = "v1/contacts/{id}")] HttpRequest request, string id) =>
            Results.Text("contact " + id, statusCode: request.Path.HasValue ? 200 : 500);

        [Function("a-batch")]
        public static IResult Batch([HttpTrigger("get", Route = "v1/{collection}/batch")] HttpRequest request, string collection) =>
            Results.Text("batch of " + collection, statusCode: request.Path.HasValue ? 200 : 500);

        [Function("c-batch")]
        public static IResult PostBatch([HttpTrigger("post", Route = "v1/{collection}/batch")] HttpRequest request) =>
            Results.Text("post batch", statusCode: request.Path.HasValue ? 200 : 500);
    }

    public static class EarlyCatchAll
    {
        [Function("Any")]
        public static IResult Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "{*path}")] HttpRequest request) => Results.Text(request.Path);
    }

    private sealed class Server(WebApplication app) : IAsyncDisposable
    {
        public HttpClient Client { get; } = new(new SocketsHttpHandler()) { BaseAddress = new Uri(app.Urls.Single()) };

        public static async Task<Server> Of(params Type[] classes)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            builder.Services.AddScoped<Scoped.State>().AddSingleton<Witness>().AddSingleton(new Hub("hub"));
            var app = builder.Build();
            app.MapFunctions(FunctionCatalog.Of(classes));
            await app.StartAsync();
            return new Server(app);
        }

        public T Get<T>()
            where T : notnull => app.Services.GetRequiredService<T>();

        public async Task<(HttpStatusCode Status, string Body)> Send(string method, string path)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            using var response = await Client.SendAsync(request);
            return (response.StatusCode, Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync()));
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await app.DisposeAsync();
        }
    }
}
