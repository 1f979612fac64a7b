using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost.Tests.Triggers;

/// <summary>Which functions lose requests to others under the Functions host, by names, methods and routes alone.</summary>
public class RouteOrderTests
{
    [Theory]
    [InlineData("{*path}", "health")]
    [InlineData("{*path}", "v1/contacts/{id}/timeline")]
    [InlineData("{*path}", "{*other}")]
    [InlineData("v1/{*path}", "v1/contacts")]
    [InlineData("v1/contacts/{id}", "v1/contacts/search")]
    [InlineData("v1/contacts/{id}", "V1/Contacts/{key}")]
    [InlineData("v1/contacts/{id}", "v1/contacts/{name}.{format}")]
    [InlineData("v1/objects/{slug}/records", "v1/objects/{slug}/records")]
    [InlineData("v1/{kind}/{id}", "v1/contacts/{id:int}")]
    [InlineData("v1/contacts/{id:int}", "v1/contacts/42")]
    [InlineData("v1/contacts/{id:int}", "v1/contacts/{key:int:min(1)}")]
    [InlineData("v1/contacts/{id?}", "v1/contacts")]
    [InlineData("v1/contacts", "v1/contacts/{id?}")]
    [InlineData("", "a")]
    public void A_route_that_takes_all_of_a_later_one_hides_it(string earlier, string later) =>
        Assert.Equal(
            [$"b (get {later}) is hidden by a ({$"get {earlier}".TrimEnd()}), whose name comes first"],
            RouteOrder.FindConflicts([new HttpRoute("b", ["get"], later), new HttpRoute("a", ["get"], earlier)]));

    [Theory]
    [InlineData("v1/{kind}/batch", "v1/contacts/{id}")]
    [InlineData("v1/contacts/{id}", "v1/{kind}/batch")]
    [InlineData("v1/{id:int}", "v1/{id:min(7)}")]
    [InlineData("v1/{kind}/{*rest}", "v1/contacts/{*rest}/")]
    [InlineData("v1/{kind?}", "{version}/contacts")]
    public void Two_routes_of_which_neither_is_the_more_specific_are_told(string earlier, string later) =>
        Assert.Single(RouteOrder.FindConflicts([new HttpRoute("a", ["get"], earlier), new HttpRoute("b", ["get"], later)]));

    [Theory]
    [InlineData("health", "{*path}")]
    [InlineData("v1/contacts/search", "v1/contacts/{id}")]
    [InlineData("v1/contacts/{id}", "v1/contacts")]
    [InlineData("v1/contacts/{id}", "v1/contacts/{id}/timeline")]
    [InlineData("v1/contacts/{id}", "v1/contacts/{*rest}")]
    [InlineData("v1/contacts/{id:int}", "v1/contacts/search")]
    [InlineData("v1/contacts/{id:int}", "v1/contacts/{id}")]
    [InlineData("v1/contacts/{name}.{format}", "v1/contacts/{id}")]
    [InlineData("v1/objects/{slug}/records", "v1/objects/{slug}/fields")]
    public void A_route_that_is_more_specific_than_a_later_one_is_in_order(string earlier, string later) =>
        Assert.Empty(RouteOrder.FindConflicts([new HttpRoute("a", ["get"], earlier), new HttpRoute("b", ["get"], later)]));

    [Theory]
    [InlineData("fallback", "health", true)]
    [InlineData("zz-fallback", "health", false)]
    [InlineData("Fallback", "health", true)]
    [InlineData("a-b", "ab", true)]
    [InlineData("a_b", "ab", false)]
    [InlineData("a_b", "a-b", false)]
    public void Names_are_compared_ordinally_whatever_their_case(string all, string other, bool isHidden) =>
        Assert.Equal(isHidden, RouteOrder.FindConflicts([new HttpRoute(all, [], "{*path}"), new HttpRoute(other, ["get"], "v1/it")]).Count > 0);

    [Theory]
    [InlineData("get", "post", false)]
    [InlineData("get", "GET", true)]
    [InlineData("get,post", "post,put", true)]
    [InlineData("", "post", true)]
    [InlineData("post", "", true)]
    public void A_route_hides_only_one_with_a_method_of_its_own(string earlier, string later, bool isHidden)
    {
        static string[] Methods(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(
            isHidden, RouteOrder.FindConflicts([new HttpRoute("a", Methods(earlier), "v1/{id}"), new HttpRoute("b", Methods(later), "v1/it")]).Count > 0);
    }
}
