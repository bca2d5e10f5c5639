package grpcmw_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// registered is a server that has these methods.
type registered []string

func (r registered) GetServiceInfo() map[string]grpc.ServiceInfo {
	services := map[string]grpc.ServiceInfo{}
	for _, full := range r {
		service, method, _ := strings.Cut(full[1:], "/")
		info := services[service]
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: method})
		services[service] = info
	}
	return services
}

// audit returns what Audit says about entries that are no methods.
func audit(t *testing.T, server registered, entries ...string) []string {
	t.Helper()
	policy := grpcmw.Policy{}
	for _, method := range append(entries, server...) {
		policy[method] = claims.Authenticated()
	}
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	err = auth.Audit(server)
	require.Error(t, err)
	return strings.Split(err.Error(), "\n")
}

func TestAudit_namesTheNearestMethod(t *testing.T) {
	t.Parallel()
	long := "/long.Service/" + strings.Repeat("Method", 50)
	longer := "/longer.Service/" + strings.Repeat("Other", 60)
	server := registered{
		"/orders.v1.Orders/GetOrder",
		"/orders.v1.Orders/GetOrders",
		"/orders.v1.Orders/DeleteOrder",
		"/orders.v1.Orders/CreateOrder",
		"/orders.v1.Admin/Purge",
		"/orders.v1.Report/Daily",
		"/invoices.v1.Invoices/Pay",
		"/invoices.v2beta1.Invoices/List",
		"/s.S/M",
		"/case.Case/Get",
		"/case.Case/GET",
		long, longer,
		"/short.Short/Get",
		"/alone.Alpha/Lai",
		"/single.Beta/Lia",
		"/short.Short/Cdorder",
		"/stock.v9alpha1.Stock/Reserve",
		"/stock.vendorships.Items/Acquire",
		"/stock.x1aaaaaa.Items/Measure",
		"/mail.v.Mail/Deliver",
		"/mail.v1.Alpha/Forward",
	}
	for name, row := range map[string]struct{ entry, want string }{
		"a letter missing":            {"/orders.v1.Orders/GetOrdr", "/orders.v1.Orders/GetOrder"},
		"two letters exchanged":       {"/orders.v1.Orders/GteOrder", "/orders.v1.Orders/GetOrder"},
		"the nearer one":              {"/orders.v1.Orders/GetOrderss", "/orders.v1.Orders/GetOrders"},
		"service misspelt":            {"/ordes.v1.Order/GetOrder", "/orders.v1.Orders/GetOrder"},
		"both misspelt":               {"/orders.v1.Order/GetOdrer", "/orders.v1.Orders/GetOrder"},
		"other case":                  {"/Orders.V1.orders/getorder", "/orders.v1.Orders/GetOrder"},
		"case decides":                {"/case.Case/GEt", "/case.Case/GET"},
		"other version":               {"/invoices.v1.Invoices/List", "/invoices.v2beta1.Invoices/List"},
		"no version":                  {"/invoices.Invoices/Pay", "/invoices.v1.Invoices/Pay"},
		"other package":               {"/shop.billing.v3.Invoices/Pay", "/invoices.v1.Invoices/Pay"},
		"no package":                  {"/Invoices/Pay", "/invoices.v1.Invoices/Pay"},
		"other service":               {"/orders.v1.Operations/Purge", "/orders.v1.Admin/Purge"},
		"long, in another case":       {strings.ToLower(long), long},
		"long, a letter more":         {long + "s", ""},
		"long, of another service":    {strings.Replace(longer, "longer", "another", 1), ""},
		"three letters, one other":    {"/short.Short/Gut", "/short.Short/Get"},
		"three letters, exchanged":    {"/short.Short/Gte", "/short.Short/Get"},
		"exchanged, and another":      {"/alone.Alpha/Lix", ""},
		"another, and exchanged":      {"/single.Beta/Lxi", ""},
		"two before, one less":        {"/short.Short/Border", ""},
		"two letters missing":         {"/orders.v1.Orders/DeleteOrd", "/orders.v1.Orders/DeleteOrder"},
		"other version, and a letter": {"/stock.v0.Stock/Reserv", "/stock.v9alpha1.Stock/Reserve"},
		"no version, and a letter":    {"/stock.vx.Items/Acquir", ""},
		"no version either":           {"/stock.y2bbbbbb.Items/Measur", ""},
		"a letter that is no version": {"/mail.Mail/Delive", "/mail.v.Mail/Deliver"},
		"that, and another package":   {"/letters.v.Mail/Delive", ""},
		"package, and a letter":       {"/elsewhere.entirely.Admin/Purg", ""},
		"service, and a letter":       {"/mail.v1.Zetas/Forwar", ""},
		"another method":              {"/orders.v1.Orders/ArchiveOrder", ""},
		"one letter is all there is":  {"/s.S/N", ""},
		"same name, nothing else":     {"/x.Y/Pay", ""},
		"package and service are two": {"/shop.Accounts/Purge", ""},
		"nothing like it":             {"/grpc.health.v1.Health/Check", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := "grpcmw: the policy lists " + row.entry + ", which is no method of the server"
			if row.want != "" {
				want += " (did you mean " + row.want + "?)"
			}
			assert.Equal(t, []string{want}, audit(t, server, row.entry))
		})
	}
}

// Of methods that are as near, it is the first by name, each time.
func TestAudit_nearestMethodIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	var server registered
	for c := 'z'; c >= 'b'; c-- {
		server = append(server, "/s.Service/Get"+string(c))
	}
	for range 20 {
		assert.Equal(t, []string{"grpcmw: the policy lists /s.Service/Geta, " +
			"which is no method of the server (did you mean /s.Service/Getb?)"},
			audit(t, server, "/s.Service/Geta"))
	}
}

// Nobody waits for suggestions about a policy that is for another server.
func TestAudit_boundsSuggestions(t *testing.T) {
	t.Parallel()
	var server registered
	var entries []string
	for i := range 1000 {
		server = append(server, fmt.Sprintf("/s.Service/Method%04d", i))
		entries = append(entries, fmt.Sprintf("/s.Servic/Method%04d", i))
	}
	lines := audit(t, server, entries...)
	require.Len(t, lines, len(entries))
	suggested := 0
	for _, line := range lines {
		if strings.Contains(line, "did you mean") {
			suggested++
		}
	}
	assert.Equal(t, 32, suggested)
	assert.Contains(t, lines[31], "(did you mean /s.Service/Method0031?)")
}

func TestAudit(t *testing.T) {
	t.Parallel()
	policy := everything(claims.Authenticated())
	delete(policy, testpb.TestService_UnaryCall_FullMethodName)
	delete(policy, testpb.TestService_FullDuplexCall_FullMethodName)
	policy["/grpc.testing.TestService/UnaryCal"] = claims.Authenticated()
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	server := grpc.NewServer()
	testpb.RegisterTestServiceServer(server, &service{})

	err = auth.Audit(server)
	require.Error(t, err)
	assert.Equal(t, "grpcmw: method /grpc.testing.TestService/FullDuplexCall has no entry "+
		"in the policy: it refuses every call\n"+
		"grpcmw: method /grpc.testing.TestService/UnaryCall has no entry "+
		"in the policy: it refuses every call\n"+
		"grpcmw: the policy lists /grpc.testing.TestService/UnaryCal, "+
		"which is no method of the server "+
		"(did you mean /grpc.testing.TestService/UnaryCall?)", err.Error())

	healthpb.RegisterHealthServer(server, healthpb.UnimplementedHealthServer{})
	assert.ErrorContains(t, auth.Audit(server), healthpb.Health_Watch_FullMethodName)
}
