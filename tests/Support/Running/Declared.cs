using NodeStash.Core.Records;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Support.Running;

/// <summary>Holds every answer that the tests see to what its operation declares.</summary>
internal static class Declared
{
    private static readonly List<(Operation Operation, string[] Route)> operations =
        [.. Operation.All.OrderBy(operation => operation.Name, RouteOrder.ByName).Select(operation => (operation, operation.Route.Split('/')))];

    private static readonly Dictionary<string, ErrorCode> codes =
        Enum.GetValues<ErrorCode>().ToDictionary(code => Text.ToSnakeCase(code.ToString()).ToUpperInvariant(), StringComparer.Ordinal);

    public static void Check(HttpMethod method, string path, Reply reply)
    {
        var verb = method == HttpMethod.Head ? "GET" : method.Method.ToUpperInvariant();
        var segments = path.Trim('/').Split('/');
        var (operation, _) = operations.First(one => one.Operation.Method == "*" || (one.Operation.Method == verb && Matches(one.Route, segments)));
        if (reply.Status < 400)
            Assert.True(operation.Answers.Any(answer => answer.Status == reply.Status), $"{operation.Name} does not declare {reply.Status}");
        else if (CodeOf(reply) is { } code) Assert.True(operation.Errors.Contains(codes[code]), $"{operation.Name} does not declare {code}");
    }

    /// <summary>The code of an error, in its envelope or as problem details; null without a body.</summary>
    private static string? CodeOf(Reply reply) =>
        reply.Body.ValueKind is not System.Text.Json.JsonValueKind.Object
            ? null
            : reply.Body.TryGetProperty("code", out var code) ? code.GetString() : reply.Code;

    private static bool Matches(string[] route, string[] path) =>
        route.Length == path.Length
            && route.Zip(path)
                .All(pair => pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First.Equals(pair.Second, StringComparison.OrdinalIgnoreCase));
}
