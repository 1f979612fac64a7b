using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>The paths this app has, read off its functions: to tell a wrong method from a wrong path, and what of a path may be logged.</summary>
internal static class Routes
{
    private static readonly (string[] Segments, string Method)[] All =
    [
        .. typeof(Routes).Assembly.GetExportedTypes()
            .SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetParameters())
            .Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>())
            .OfType<HttpTriggerAttribute>()
            .Where(trigger => trigger.Route?.Contains("{*", StringComparison.Ordinal) == false)
            .SelectMany(trigger => (trigger.Methods ?? []).Select(method => (trigger.Route!.Split('/'), method.ToUpperInvariant()))),
    ];

    private static readonly HashSet<string> Words = [.. All.SelectMany(route => route.Segments).Where(segment => !segment.StartsWith('{'))];

    /// <summary>A path as it may be logged: our own words and ids are kept, anything else, which may be a name or an address, is a dash.</summary>
    public static string WithoutContent(string path) =>
        "/" + string.Join('/', path.Trim('/').Split('/').Select(segment => Words.Contains(segment) || Ids.IsAnyId(segment) ? segment : "-"));

    /// <summary>The methods a path takes, in alphabetical order; none for an unknown path.</summary>
    public static IReadOnlyList<string> Find(string path)
    {
        var segments = path.Trim('/').Split('/');
        return [.. All.Where(route => Matches(route.Segments, segments)).Select(route => route.Method).Distinct().Order(StringComparer.Ordinal)];
    }

    private static bool Matches(string[] route, string[] path) =>
        route.Length == path.Length
            && route.Zip(path)
                .All(pair => pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First.Equals(pair.Second, StringComparison.OrdinalIgnoreCase));
}
