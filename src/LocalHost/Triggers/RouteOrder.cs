using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace NodeStash.LocalHost.Triggers;

/// <summary>Route of an HTTP function, as the Functions host maps it.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="Methods">The methods it takes, in any case; none for every method.</param>
/// <param name="Route">The template of its route, without a prefix; empty for the function's name.</param>
public sealed record HttpRoute(string Name, IReadOnlyCollection<string> Methods, string Route);

/// <summary>
/// The order in which the Functions host tries routes: by function name, ordinal, ignoring case. The first route that matches path and method takes the
/// request; a literal has no precedence over a parameter, nor a parameter over a catch-all. The worker then matches the path once more, by the precedence
/// of endpoint routing, for the route's values: so the more specific of two routes needs the earlier name.
/// Sources: azure-functions-host, FunctionMetadataManager (sorts by name) and WebScriptHostHttpRoutesManager (maps in that order);
/// azure-functions-dotnet-worker, FunctionsEndpointDataSource.
/// </summary>
public static class RouteOrder
{
    private static readonly DefaultInlineConstraintResolver constraints =
        new(Options.Create(new RouteOptions()), new ServiceCollection().BuildServiceProvider());

    /// <summary>Compares the names of functions as the Functions host sorts them.</summary>
    public static StringComparer ByName => StringComparer.OrdinalIgnoreCase;

    /// <summary>Finds the functions that lose requests to one with an earlier name whose route is not the more specific one.</summary>
    /// <returns>One sentence for each such function; none where names and routes are in order.</returns>
    public static IReadOnlyList<string> FindConflicts(IEnumerable<HttpRoute> routes)
    {
        var sorted = routes.OrderBy(route => route.Name, ByName).Select(route => (Route: route, Paths: Paths(route).ToList())).ToList();
        var errors = new List<string>();
        for (var i = 1; i < sorted.Count; i++)
        {
            var (later, paths) = sorted[i];
            foreach (var (first, before) in sorted.Take(i).Where(earlier => ShareAMethod(earlier.Route, later)))
            {
                var pairs = from one in before from other in paths where Overlap(one, other) select (one, other);
                var shared = pairs.Where(pair => !Covers(pair.other, pair.one) || Covers(pair.one, pair.other)).ToList();
                if (shared.Count == 0) continue;
                var how = shared.Exists(pair => Covers(pair.one, pair.other)) ? "is hidden by" : "shares paths with";
                errors.Add($"{later.Name} ({Text(later)}) {how} {first.Name} ({Text(first)}), whose name comes first");
                break;
            }
        }

        return errors;
    }

    private static string Text(HttpRoute route) => $"{(route.Methods.Count == 0 ? "any method" : string.Join(", ", route.Methods))} {route.Route}".TrimEnd();

    private static bool ShareAMethod(HttpRoute one, HttpRoute other) =>
        one.Methods.Count == 0 || other.Methods.Count == 0 || one.Methods.Intersect(other.Methods, StringComparer.OrdinalIgnoreCase).Any();

    /// <summary>Lists the segments of a route, once for each number of optional segments at its end.</summary>
    private static IEnumerable<IReadOnlyList<RoutePatternPathSegment>> Paths(HttpRoute route)
    {
        var segments = RoutePatternFactory.Parse(route.Route.Length == 0 ? route.Name : route.Route).PathSegments;
        yield return segments;
        static bool MayBeAbsent(RoutePatternPathSegment segment) =>
            Parameter(segment) is { IsCatchAll: false } last && (last.IsOptional || last.Default is not null);
        for (var left = segments.Count - 1; left >= 0 && MayBeAbsent(segments[left]); left--)
            yield return [.. segments.Take(left)];
    }

    /// <summary>Whether some path matches both routes. Segments with several parts, and two constraints, count as overlapping.</summary>
    private static bool Overlap(IReadOnlyList<RoutePatternPathSegment> one, IReadOnlyList<RoutePatternPathSegment> other)
    {
        for (var i = 0; ; i++)
        {
            if (IsCatchAll(one, i) || IsCatchAll(other, i)) return true;
            if (i == one.Count || i == other.Count) return one.Count == other.Count;
            if (!Overlap(one[i], other[i])) return false;
        }
    }

    private static bool Overlap(RoutePatternPathSegment one, RoutePatternPathSegment other) => (Literal(one), Literal(other)) switch
    {
        ({ } word, { } same) => word.Equals(same, StringComparison.OrdinalIgnoreCase),
        ({ } word, null) => Parameter(other) is not { } parameter || Policies(parameter).All(policy => Allows(policy, word)),
        (null, { } word) => Parameter(one) is not { } parameter || Policies(parameter).All(policy => Allows(policy, word)),
        _ => true,
    };

    private static bool IsCatchAll(IReadOnlyList<RoutePatternPathSegment> path, int segment) =>
        segment < path.Count && Parameter(path[segment]) is { IsCatchAll: true };

    /// <summary>Whether every path of <paramref name="later"/> also matches <paramref name="earlier"/>.</summary>
    private static bool Covers(IReadOnlyList<RoutePatternPathSegment> earlier, IReadOnlyList<RoutePatternPathSegment> later)
    {
        for (var i = 0; i < earlier.Count; i++)
        {
            if (Parameter(earlier[i]) is { IsCatchAll: true, ParameterPolicies.Count: 0 }) return true;
            if (i == later.Count || !Covers(earlier[i], later[i])) return false;
        }

        return earlier.Count == later.Count;
    }

    private static bool Covers(RoutePatternPathSegment earlier, RoutePatternPathSegment later)
    {
        var (any, other) = (Parameter(earlier), Parameter(later));
        if (any is null) return Text(earlier).Equals(Text(later), StringComparison.OrdinalIgnoreCase);
        if (other is not null) return other.IsCatchAll == any.IsCatchAll && Policies(any).All(Policies(other).Contains);
        return Policies(any).All(policy => Literal(later) is { } word && Allows(policy, word));
    }

    private static string? Literal(RoutePatternPathSegment segment) =>
        segment is { IsSimple: true, Parts: [RoutePatternLiteralPart literal] } ? literal.Content : null;

    /// <summary>Returns the parameter that is a whole segment; null for a literal or several parts.</summary>
    private static RoutePatternParameterPart? Parameter(RoutePatternPathSegment segment) =>
        segment is { IsSimple: true, Parts: [RoutePatternParameterPart parameter] } ? parameter : null;

    private static IEnumerable<string> Policies(RoutePatternParameterPart parameter) => parameter.ParameterPolicies.Select(policy => policy.Content ?? "");

    private static bool Allows(string policy, string value) =>
        constraints.ResolveConstraint(policy) is not { } constraint
        || constraint.Match(null, null, "it", new RouteValueDictionary { ["it"] = value }, RouteDirection.IncomingRequest);

    private static string Text(RoutePatternPathSegment segment) => string.Concat(segment.Parts.Select(part => part switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart parameter => "{" + string.Concat(Policies(parameter).Select(policy => ":" + policy)) + "}",
        _ => "",
    }));
}
