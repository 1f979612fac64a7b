using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>Lists the routes of the functions, to tell a wrong method from an unknown path and to keep personal data out of logs.</summary>
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

    /// <summary>Makes a path safe to log. Keeps words of our routes and ids; replaces other segments, which may hold personal data, by a dash.</summary>
    public static string WithoutContent(string path) =>
        "/" + string.Join('/', path.Trim('/').Split('/').Select(segment => Words.Contains(segment) || Ids.IsAnyId(segment) ? segment : "-"));

    /// <summary>Finds the methods that a path takes, in alphabetical order; none for an unknown path.</summary>
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
