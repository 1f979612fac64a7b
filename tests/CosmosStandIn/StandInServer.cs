using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace NodeStash.CosmosStandIn;

/// <summary>
/// An account behind a port of this machine, for clients that open it by a connection string. Ends with what is under way; the account is the
/// caller's.
/// </summary>
public sealed class StandInServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private StandInServer(WebApplication app) => this.app = app;

    /// <summary>Opens it, in gateway mode and limited to the endpoint, as an emulator is.</summary>
    public string ConnectionString =>
        $"AccountEndpoint={app.Urls.First()}/;AccountKey={Convert.ToBase64String("no secret: the stand-in checks no signature"u8)}";

    public static async Task<StandInServer> Start(StandInAccount account)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var invoker = new HttpMessageInvoker(account, disposeHandler: false);
        app.Run(context => Pass(invoker, context));
        await app.StartAsync();
        return new StandInServer(app);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async Task Pass(HttpMessageInvoker account, HttpContext context)
    {
        var asked = context.Request;
        using var body = new MemoryStream();
        await asked.Body.CopyToAsync(body, context.RequestAborted);

        // As it came: the path that ASP.NET Core shows is decoded.
        var target = new Uri($"{asked.Scheme}://{asked.Host}{context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget}");
        using var request = new HttpRequestMessage(new HttpMethod(asked.Method), target) { Content = new ByteArrayContent(body.ToArray()) };
        foreach (var (name, values) in asked.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                request.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        try
        {
            using var answer = await account.SendAsync(request, context.RequestAborted);
            var response = context.Response;
            response.StatusCode = (int)answer.StatusCode;
            foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers)) response.Headers[name] = values.ToArray();
            var content = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
            if (content.Length > 0) await response.Body.WriteAsync(content, context.RequestAborted);
        }
        catch (HttpRequestException)
        {
            // The fault that a test asked for.
            context.Abort();
        }
    }
}
